// A VM's steps as a chain of icons, and in full as a table with its disks.
import { Label, Progress, ProgressMeasureLocation, ProgressSize, Tooltip } from '@patternfly/react-core';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import CircleIcon from '@patternfly/react-icons/dist/esm/icons/outlined-circle-icon';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import ResourcesFullIcon from '@patternfly/react-icons/dist/esm/icons/in-progress-icon';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ComponentType } from 'react';
import type { Store } from '../api/store';
import { bytes, clock, duration, elapsed, percent, rate, time } from '../model/format';
import type { Step, Task, VmRow } from '../model/types';
import { bytesOf, diskName, disksOf, stepState, type StepState } from '../model/vm_state';
import { stepText, texts } from '../texts';

const icons: Record<StepState, ComponentType> = {
  pending: CircleIcon,
  running: ResourcesFullIcon,
  done: CheckCircleIcon,
  failed: ExclamationCircleIcon,
  canceled: BanIcon,
};

export function Pipeline({ vm }: { vm: VmRow }) {
  return (
    <ol className="gantry-pipeline" aria-label={texts.vm.pipeline}>
      {(vm.pipeline ?? []).map((step) => {
        const state = stepState(step, vm);
        const Icon = icons[state];
        const label = `${stepText(step.name)}: ${texts.stepState[state]}`;
        return (
          <li key={step.name}>
            <Tooltip content={label}>
              <span className={`gantry-step gantry-step-${state}`} role="img" aria-label={label}>
                <Icon />
              </span>
            </Tooltip>
          </li>
        );
      })}
    </ol>
  );
}

function StepLabel({ state, step }: { state: StepState; step: Step }) {
  const Icon = icons[state];
  const detail = state === 'running' ? step.reason : undefined;
  return (
    <div>
      <span className={`gantry-step-${state}`}>
        <Icon />
      </span>{' '}
      {texts.stepState[state]}
      {detail && <span className="gantry-subtle gantry-break"> {detail}</span>}
      {step.error?.reasons?.map((reason) => (
        <div key={reason} className="gantry-subtle gantry-break">
          {reason}
        </div>
      ))}
    </div>
  );
}

export function Steps({ vm, now }: { vm: VmRow; now: number }) {
  return (
    <Table aria-label={texts.vm.pipeline} variant="compact" borders={false}>
      <Thead>
        <Tr>
          <Th>{texts.vm.step}</Th>
          <Th>{texts.vm.elapsed}</Th>
          <Th>{texts.vm.state}</Th>
        </Tr>
      </Thead>
      <Tbody>
        {(vm.pipeline ?? []).map((step) => {
          const seconds = elapsed(step.started, step.completed ?? (vm.completed || undefined), now);
          return (
            <Tr key={step.name}>
              <Td dataLabel={texts.vm.step}>
                <Tooltip content={step.description ?? step.name}>
                  <span>{stepText(step.name)}</span>
                </Tooltip>
              </Td>
              <Td dataLabel={texts.vm.elapsed} className="gantry-numbers">
                {seconds === undefined ? (
                  ''
                ) : (
                  <Tooltip content={[time(step.started), time(step.completed)].filter(Boolean).join(' – ')}>
                    <span>{clock(seconds)}</span>
                  </Tooltip>
                )}
              </Td>
              <Td dataLabel={texts.vm.state}>
                <StepLabel state={stepState(step, vm)} step={step} />
              </Td>
            </Tr>
          );
        })}
      </Tbody>
    </Table>
  );
}

const readBack = (task: Task): boolean => task.annotations?.readBack === 'equal';

// A bar for each disk, with what is done, how fast it goes and how long it takes.
export function Disks({ vm, store, now, running }: { vm: VmRow; store: Store; now: number; running: boolean }) {
  return (
    <div className="gantry-disks">
      {disksOf(vm).map(({ step, task }) => {
        const { done, total } = bytesOf(task);
        const meter = store.diskMeter(vm, task.name);
        const moving = running && done < total && !task.error;
        const speed = moving ? meter?.rate() : undefined;
        const left = moving ? meter?.left(total) : undefined;
        const stalled = moving && task.started ? (meter?.stalled(now) ?? 0) : 0;
        const facts = [
          `${bytes(done)} / ${bytes(total)}`,
          speed ? rate(speed) : '',
          left !== undefined && Number.isFinite(left) ? texts.plans.left(duration(left)) : '',
          stalled ? texts.vm.stalled(duration(stalled / 1000)) : '',
          moving && task.reason ? task.reason : '',
        ].filter(Boolean);
        return (
          <div key={`${step.name}/${task.name}`} className="gantry-disk">
            <div className="gantry-disk-name">
              <Tooltip content={task.name}>
                <span className="gantry-break">{diskName(task.name)}</span>
              </Tooltip>
              {readBack(task) && (
                <Tooltip content={`${texts.vm.verifiedTitle}: ${task.annotations?.hash ?? ''}`}>
                  <Label status="success" isCompact>
                    {texts.vm.verified}
                  </Label>
                </Tooltip>
              )}
            </div>
            <Progress
              aria-label={task.name}
              value={percent(done, total)}
              size={ProgressSize.sm}
              measureLocation={ProgressMeasureLocation.none}
              variant={task.error ? 'danger' : total > 0 && done >= total ? 'success' : stalled ? 'warning' : undefined}
            />
            <div className="gantry-subtle gantry-numbers">{facts.join(', ')}</div>
          </div>
        );
      })}
    </div>
  );
}
