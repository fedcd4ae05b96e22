// The first page of a newcomer: what there is to do, in order.
import { Button, Card, CardBody, CardTitle, Checkbox, Content, Masthead, MastheadBrand, MastheadLogo, MastheadMain, Page, PageSection, Title } from '@patternfly/react-core';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { Logo } from '../parts/shell';
import { texts } from '../texts';
import { read, write } from '../theme';

const key = 'gantry-welcome-hidden';
export const welcomeHidden = (): boolean => read(key) === 'yes';

export function WelcomePage() {
  const navigate = useNavigate();
  const [hide, setHide] = useState(welcomeHidden());

  return (
    <Page
      masthead={
        <Masthead>
          <MastheadMain>
            <MastheadBrand>
              <MastheadLogo component="div">
                <Logo />
              </MastheadLogo>
            </MastheadBrand>
          </MastheadMain>
        </Masthead>
      }
    >
      <PageSection>
        <div className="gantry-welcome">
          <Title headingLevel="h1" size="3xl">
            {texts.welcome.title}
          </Title>
          <Content component="p" className="gantry-my-lg">
            {texts.welcome.body}
          </Content>
          <ol className="gantry-steps">
            {texts.welcome.steps.map((step, n) => (
              <li key={step.title}>
                <Card isFullHeight>
                  <CardTitle component="h2">
                    <span className="gantry-step-number" aria-hidden>
                      {n + 1}
                    </span>{' '}
                    {step.title}
                  </CardTitle>
                  <CardBody>{step.body}</CardBody>
                </Card>
              </li>
            ))}
          </ol>
          <div className="gantry-welcome-foot">
            <Button
              size="lg"
              onClick={() => {
                write(key, hide ? 'yes' : 'no');
                navigate('/providers');
              }}
            >
              {texts.welcome.start}
            </Button>
            <Checkbox id="hide-welcome" label={texts.welcome.hide} isChecked={hide} onChange={(_event, checked) => setHide(checked)} />
          </div>
        </div>
      </PageSection>
    </Page>
  );
}
