// The logs of the Pods that work for one VM, read again every few seconds while the dialog is open.
import { Alert, Button, CodeBlock, CodeBlockCode, FormSelect, FormSelectOption, Modal, ModalBody, ModalFooter, ModalHeader, Spinner, Switch } from '@patternfly/react-core';
import { useEffect, useRef, useState } from 'react';
import * as cluster from '../api/cluster';
import { messageOf } from '../api/http';
import { texts } from '../texts';
import { saveText } from './save';

const lines = 500;
const again_ms = 3000;

export function LogsDialog({ namespace, planUid, vm, onClose }: { namespace: string; planUid: string; vm: { id: string; name: string }; onClose: () => void }) {
  const [pods, setPods] = useState<cluster.PodSummary[]>();
  const [chosen, setChosen] = useState<string>();
  const [log, setLog] = useState('');
  const [podsProblem, setPodsProblem] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [following, setFollowing] = useState(true);
  const end = useRef<HTMLDivElement>(null);
  const pod = pods?.find((each) => each.name === chosen) ?? pods?.[0];
  const podName = pod?.name;
  const container = pod?.containers[0];

  useEffect(() => {
    let live = true;
    const look = () =>
      cluster.podsOfVm(namespace, planUid, vm.id).then(
        (found) => {
          if (live) {
            setPods(found);
            setPodsProblem(undefined);
          }
        },
        (error: unknown) => live && setPodsProblem(messageOf(error)),
      );
    void look();
    const timer = setInterval(() => void look(), again_ms);
    return () => {
      live = false;
      clearInterval(timer);
    };
  }, [namespace, planUid, vm.id]);

  useEffect(() => {
    if (!podName || !container) return;
    let live = true;
    const read = () =>
      cluster.podLog(namespace, podName, container, lines).then(
        (text) => {
          if (live) {
            setLog(text);
            setProblem(undefined);
          }
        },
        (error: unknown) => live && setProblem(messageOf(error)),
      );
    void read();
    const timer = setInterval(() => void read(), again_ms);
    return () => {
      live = false;
      clearInterval(timer);
    };
  }, [namespace, podName, container]);

  useEffect(() => {
    if (following) end.current?.scrollIntoView({ block: 'nearest' });
  }, [following, log]);

  const title = `${texts.vm.logs}: ${vm.name}`;
  const trouble = podsProblem ?? (pod && problem);
  return (
    <Modal isOpen variant="large" onClose={onClose} aria-label={title}>
      <ModalHeader title={title} />
      <ModalBody tabIndex={0} aria-label={title}>
        {trouble && <Alert isInline variant="danger" title={trouble} />}
        {!pods && !trouble && <Spinner aria-label={texts.common.loading} />}
        {pods && !pods.length && <p>{texts.vm.noPods}</p>}
        {pod && (
          <>
            <FormSelect aria-label={texts.vm.pod} value={pod.name} onChange={(_event, name) => setChosen(name)} className="gantry-mb-md">
              {pods!.map((each) => (
                <FormSelectOption key={each.name} value={each.name} label={`${each.name} (${[each.step, each.phase].filter(Boolean).join(', ')})`} />
              ))}
            </FormSelect>
            <div className="gantry-row">
              <span className="gantry-subtle">{texts.vm.showing(lines)}</span>
              <Switch id="follow" label={texts.vm.follow} isChecked={following} onChange={(_event, on) => setFollowing(on)} />
            </div>
            <CodeBlock>
              <CodeBlockCode className="gantry-log">{log}</CodeBlockCode>
            </CodeBlock>
            <div ref={end} />
          </>
        )}
      </ModalBody>
      <ModalFooter>
        {pod && (
          <Button variant="secondary" onClick={() => saveText(`${pod.name}.log`, log)}>
            {texts.common.download}
          </Button>
        )}
        <Button variant="link" onClick={onClose}>
          {texts.common.close}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
