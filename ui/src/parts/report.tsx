// The verification report of a plan: every disk with its bytes, its hash, and whether it was read back and is equal.
import { Alert, Button, ExpandableSection, Label, Spinner } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import * as cluster from '../api/cluster';
import { useFetched } from '../api/use';
import { bytes, duration, time } from '../model/format';
import { planReport, reportCsv, type PlanStatusVms, type ReportVm } from '../model/report';
import type { Plan, Resource } from '../model/types';
import { texts } from '../texts';
import { saveText } from './save';
import { Empty } from './states';

const t = texts.report;

const looks: Record<ReportVm['result'], 'success' | 'danger' | undefined> = { Succeeded: 'success', Failed: 'danger', Canceled: undefined, NotDone: undefined };

export function Report({ plan }: { plan: Plan }) {
  const { name } = plan.metadata;
  // Read anew whenever a VM has ended.
  const vms = plan.status?.vms;
  const { data, problem } = useFetched(`${name}/${plan.status?.started}/${vms ? vms.succeeded + vms.failed + vms.canceled : 0}`, () =>
    cluster.get<Resource & PlanStatusVms>('Plan', name),
  );
  if (problem) return <Alert isInline variant="danger" title={problem} />;
  if (!data) return <Spinner aria-label={texts.common.loading} />;
  const report = planReport(data);
  if (!report.length) return <Empty title={t.empty} body={t.emptyBody} />;
  const disks = report.flatMap((vm) => vm.disks);
  const proved = disks.filter((disk) => disk.readBack === 'equal');

  return (
    <>
      <div className="gantry-row gantry-mb-md">
        <p>{t.summary(proved.length, disks.length, bytes(proved.reduce((sum, disk) => sum + disk.bytes, 0)))}</p>
        <Button variant="secondary" onClick={() => saveText(`${name}-report.csv`, reportCsv(report), 'text/csv')}>
          {t.csv}
        </Button>
        <Button variant="secondary" onClick={() => saveText(`${name}-report.json`, JSON.stringify({ plan: name, vms: report }, null, 2), 'application/json')}>
          {t.json}
        </Button>
      </div>
      <Table aria-label={texts.plan.report} variant="compact" gridBreakPoint="grid-lg">
        <Thead>
          <Tr>
            <Th>{texts.common.name}</Th>
            <Th>{t.result}</Th>
            <Th>{texts.plan.ended}</Th>
            <Th>{t.disks}</Th>
          </Tr>
        </Thead>
        <Tbody>
          {report.map((vm) => (
            <ReportRow key={vm.id || vm.name} vm={vm} />
          ))}
        </Tbody>
      </Table>
    </>
  );
}

function ReportRow({ vm }: { vm: ReportVm }) {
  return (
    <Tr>
      <Td dataLabel={texts.common.name} width={25} className="gantry-break">
        {vm.name}
      </Td>
      <Td dataLabel={t.result}>
        <Label status={looks[vm.result]}>{t.results[vm.result]}</Label>
        {vm.downtimeSeconds !== undefined && <div className="gantry-subtle">{t.downtime(duration(vm.downtimeSeconds))}</div>}
        {vm.errors.map((error) => (
          <div key={error} className="gantry-subtle gantry-break">
            {error}
          </div>
        ))}
      </Td>
      <Td dataLabel={texts.plan.ended}>{time(vm.completed)}</Td>
      <Td dataLabel={t.disks}>
        <ExpandableSection toggleText={t.proved(vm.disks.filter((disk) => disk.readBack === 'equal').length, vm.disks.length)}>
          {vm.disks.map((disk) => (
            <div key={disk.name} className="gantry-mb-sm">
              <div className="gantry-break">{disk.name}</div>
              <div className="gantry-subtle gantry-break">
                {[bytes(disk.bytes), disk.hash, disk.readBack === 'equal' ? texts.vm.verifiedTitle : t.notRead].filter(Boolean).join(', ')}
              </div>
            </div>
          ))}
        </ExpandableSection>
      </Td>
    </Tr>
  );
}
