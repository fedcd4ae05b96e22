// A question before something that cannot be taken back, or that stops VMs.
import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useState, type ReactNode } from 'react';
import { messageOf } from '../api/http';
import { texts } from '../texts';

interface Props {
  title: string;
  children: ReactNode;
  confirm: string;
  cancel?: string;
  danger?: boolean;
  disabled?: boolean;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

export function Confirm({ title, children, confirm, cancel = texts.common.cancel, danger, disabled, onConfirm, onClose }: Props) {
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function go() {
    setWorking(true);
    setProblem(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
      setWorking(false);
    }
  }

  return (
    <Modal isOpen variant="small" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} titleIconVariant={danger ? 'warning' : undefined} />
      <ModalBody>
        {problem && <Alert isInline variant="danger" title={texts.common.failed(confirm)} className="gantry-mb-md">{problem}</Alert>}
        {children}
      </ModalBody>
      <ModalFooter>
        <Button variant={danger ? 'danger' : 'primary'} isLoading={working} isDisabled={working || disabled} onClick={() => void go()}>
          {confirm}
        </Button>
        <Button variant="link" onClick={onClose}>
          {cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
