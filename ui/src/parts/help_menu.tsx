// Help in the masthead: the way from an empty console to a migrated VM, and what this console is. Nothing of it leads out of the
// console: its server answers on networks without the internet.
import {
  Button,
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core';
import QuestionCircleIcon from '@patternfly/react-icons/dist/esm/icons/question-circle-icon';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { useConsole } from '../app';
import { texts } from '../texts';
import { Terms } from './terms';

const t = texts.help;

export function HelpMenu() {
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [about, setAbout] = useState(false);
  return (
    <>
      <Dropdown
        isOpen={open}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        popperProps={{ position: 'right' }}
        toggle={(ref) => <MenuToggle ref={ref} variant="plain" icon={<QuestionCircleIcon />} isExpanded={open} onClick={() => setOpen(!open)} aria-label={t.title} />}
      >
        <DropdownList>
          <DropdownItem description={t.stepsHelp} onClick={() => navigate('/welcome')}>
            {t.steps}
          </DropdownItem>
          <DropdownItem onClick={() => setAbout(true)}>{t.about}</DropdownItem>
        </DropdownList>
      </Dropdown>
      {about && <About onClose={() => setAbout(false)} />}
    </>
  );
}

function About({ onClose }: { onClose: () => void }) {
  const { session } = useConsole();
  const rows: [string, string][] = [
    [t.version, session.version],
    [t.namespace, session.namespace],
    [t.account, session.user],
    [t.licence, t.licenceName],
    [t.documentation, t.documentationPlace],
    [t.commandLine, t.commandLineHelp],
  ];
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-label={t.about}>
      <ModalHeader title={t.about} description={texts.tagline} />
      <ModalBody>
        <Terms isCompact isHorizontal rows={rows} />
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>{texts.common.close}</Button>
      </ModalFooter>
    </Modal>
  );
}
