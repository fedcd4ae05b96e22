// Sign-in with a token. It goes to the server in the body of one request and is forgotten here.
import {
  Alert,
  Button,
  Card,
  CardBody,
  ClipboardCopy,
  Content,
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
import type { Session } from '../model/types';
import { texts } from '../texts';

export function SignInPage({ expired, onSignedIn }: { expired: boolean; onSignedIn: (session: Session) => void }) {
  const [token, setToken] = useState('');
  const [shown, setShown] = useState(false);
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string>();
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
            <Content component="p">{texts.signIn.subtitle}</Content>
            {problem ? (
              <Alert isInline variant="danger" title={problem} role="alert" />
            ) : (
              expired && <Alert isInline variant="info" title={texts.signIn.expired} />
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
              <Button type="submit" isBlock isLoading={working} isDisabled={working}>
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
