// Sign-in: at the cluster's OAuth server where it has one, or with a token. That goes to the server in the body of one request and is
// forgotten here.
import {
  Alert,
  Button,
  Card,
  CardBody,
  ClipboardCopy,
  Content,
  Divider,
  ExpandableSection,
  Form,
  FormGroup,
  InputGroup,
  InputGroupItem,
  TextInput,
  Title,
} from '@patternfly/react-core';
import EyeIcon from '@patternfly/react-icons/dist/esm/icons/eye-icon';
import EyeSlashIcon from '@patternfly/react-icons/dist/esm/icons/eye-slash-icon';
import { useState, type FormEvent } from 'react';
import * as cluster from '../api/cluster';
import { messageOf } from '../api/http';
import { useFetched } from '../api/use';
import type { Session } from '../model/types';
import { texts } from '../texts';

// Why the OAuth server's page has sent somebody back to this one.
function sentBack(): string | undefined {
  const outcome = new URLSearchParams(window.location.search).get('sign-in');
  return outcome === 'denied' ? texts.signIn.oauthDenied : outcome === 'failed' ? texts.signIn.oauthFailed : undefined;
}

export function SignInPage({ expired, onSignedIn }: { expired: boolean; onSignedIn: (session: Session) => void }) {
  const [token, setToken] = useState('');
  const [shown, setShown] = useState(false);
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const failure = problem ?? sentBack();
  const ways = useFetched('ways', cluster.waysIn);
  const [helped, setHelped] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!token.trim()) {
      setProblem(texts.signIn.empty);
      return;
    }
    setWorking(true);
    setProblem(undefined);
    try {
      const session = await cluster.signIn(token.trim());
      setToken('');
      onSignedIn(session);
    } catch (error) {
      setProblem(messageOf(error));
      setWorking(false);
    }
  }

  return (
    <div className="gantry-sign-in">
      <main>
        <Card isLarge>
          <CardBody>
            <div className="gantry-logo gantry-logo-large">
              <img src="/favicon.svg" alt="" />
              {texts.product}
            </div>
            <p className="gantry-subtle">{texts.tagline}</p>
            <Title headingLevel="h1" size="2xl" className="gantry-mt-lg">
              {texts.signIn.title}
            </Title>
            {!ways.data?.oauth && <Content component="p">{texts.signIn.subtitle}</Content>}
            {failure ? (
              <Alert isInline variant="danger" title={failure} role="alert" />
            ) : (
              expired && <Alert isInline variant="info" title={texts.signIn.expired} />
            )}
            {ways.data?.oauth && (
              <>
                <Button component="a" href="/login/oauth" isBlock className="gantry-mt-lg">
                  {texts.signIn.oauth}
                </Button>
                <Divider className="gantry-mt-lg" />
                <p className="gantry-subtle gantry-mt-md">{texts.signIn.oauthOr}</p>
              </>
            )}
            <Form onSubmit={(event) => void submit(event)} className="gantry-sign-in-form">
              <FormGroup label={texts.signIn.token} fieldId="token" isRequired>
                <InputGroup>
                  <InputGroupItem isFill>
                    <TextInput
                      id="token"
                      name="token"
                      type={shown ? 'text' : 'password'}
                      autoComplete="off"
                      autoFocus
                      spellCheck={false}
                      value={token}
                      validated={problem ? 'error' : 'default'}
                      onChange={(_event, value) => setToken(value)}
                    />
                  </InputGroupItem>
                  <InputGroupItem>
                    <Button
                      variant="control"
                      aria-label={shown ? texts.signIn.hide : texts.signIn.show}
                      icon={shown ? <EyeSlashIcon /> : <EyeIcon />}
                      onClick={() => setShown(!shown)}
                    />
                  </InputGroupItem>
                </InputGroup>
              </FormGroup>
              <Button type="submit" variant={ways.data?.oauth ? 'secondary' : 'primary'} isBlock isLoading={working} isDisabled={working}>
                {working ? texts.signIn.working : texts.signIn.submit}
              </Button>
            </Form>
            <ExpandableSection toggleText={texts.signIn.help} isExpanded={helped} onToggle={(_event, open) => setHelped(open)}>
              <Content component="p">{texts.signIn.helpMachine}</Content>
              <ClipboardCopy isReadOnly hoverTip={texts.common.copy} clickTip={texts.common.copy}>
                {texts.signIn.helpMachineCommand}
              </ClipboardCopy>
              <Content component="p" className="gantry-mt-md">
                {texts.signIn.helpCluster}
              </Content>
              <ClipboardCopy isReadOnly hoverTip={texts.common.copy} clickTip={texts.common.copy}>
                {texts.signIn.helpClusterCommand}
              </ClipboardCopy>
            </ExpandableSection>
            <p className="gantry-subtle gantry-privacy">{texts.signIn.privacy}</p>
          </CardBody>
        </Card>
      </main>
    </div>
  );
}
