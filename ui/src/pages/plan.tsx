// One plan: what it does, how far it is, and its VMs.
import {
  Alert,
  Breadcrumb,
  BreadcrumbItem,
  Flex,
  FlexItem,
  PageSection,
  Tab,
  Tabs,
  TabTitleText,
  Title,
} from '@patternfly/react-core';
import { useEffect } from 'react';
import { Link, useParams, useSearchParams } from 'react-router-dom';
import { useStore } from '../api/store';
import { useConsole } from '../app';
import { problems, worstFirst } from '../model/conditions';
import { bytes, clock, duration, elapsed, rate, time } from '../model/format';
import { ofPlan } from '../model/gather';
import { isActive, newestMigration, planState, type PlanState } from '../model/plan_state';
import type { Plan } from '../model/types';
import { useNow } from '../parts/clock';
import { ConditionAlert } from '../parts/conditions';
import { PlanActions } from '../parts/plan_actions';
import { PlanProgress, planSpeed, PlanStateLabel, typeText } from '../parts/plan_status';
import { GatherButton } from '../parts/gather_button';
import { Report } from '../parts/report';
import { Loading, Troubles } from '../parts/states';
import { Terms } from '../parts/terms';
import { VmTable } from '../parts/vm_table';
import { Yaml } from '../parts/yaml';
import { texts } from '../texts';
import { NotFoundPage } from './not_found';

export function PlanPage() {
  const { name } = useParams();
  const { events } = useConsole();
  const store = useStore();
  const now = useNow();
  const [query, setQuery] = useSearchParams();
  const tab = query.get('tab') ?? 'vms';

  useEffect(() => () => events.look(undefined), [events, name]);

  const plan = store.get('Plan', name);
  if (!plan) return store.synced ? <NotFoundPage title={texts.plan.notFound(name!)} /> : <Loading title={texts.plan.loading} />;
  const migrations = store.list('Migration');
  const state = planState(plan, migrations, now);

  return (
    <>
      <PageSection>
        <Breadcrumb>
          <BreadcrumbItem>
            <Link to="/plans">{texts.plans.title}</Link>
          </BreadcrumbItem>
          <BreadcrumbItem isActive>{plan.metadata.name}</BreadcrumbItem>
        </Breadcrumb>
        <Flex className="gantry-mt-sm" alignItems={{ default: 'alignItemsCenter' }}>
          <FlexItem>
            <Title headingLevel="h1" className="gantry-break">
              {plan.metadata.name}
            </Title>
          </FlexItem>
          <FlexItem>
            <PlanStateLabel plan={plan} state={state} />
          </FlexItem>
          <FlexItem align={{ default: 'alignRight' }}>
            <div className="gantry-actions">
              {plan.status?.started && !isActive(state) && <GatherButton what={ofPlan(plan.metadata.name)} title={plan.metadata.name} since={plan.metadata.creationTimestamp} />}
              <PlanActions plan={plan} state={state} migrations={migrations} />
            </div>
          </FlexItem>
        </Flex>
        {plan.spec.description && <p className="gantry-subtle">{plan.spec.description}</p>}
        <Troubles kinds={['Plan', 'Migration']} />
        <Banners plan={plan} state={state} />
        <Facts plan={plan} state={state} now={now} />
      </PageSection>
      <PageSection type="tabs">
        <Tabs activeKey={tab} onSelect={(_event, key) => setQuery(key === 'vms' ? {} : { tab: String(key) }, { replace: true })} usePageInsets aria-label={plan.metadata.name}>
          <Tab eventKey="vms" title={<TabTitleText>{texts.plan.vms}</TabTitleText>} tabContentId="tab-content" />
          <Tab eventKey="details" title={<TabTitleText>{texts.plan.details}</TabTitleText>} tabContentId="tab-content" />
          <Tab eventKey="report" title={<TabTitleText>{texts.plan.report}</TabTitleText>} tabContentId="tab-content" />
          <Tab eventKey="yaml" title={<TabTitleText>{texts.common.yaml}</TabTitleText>} tabContentId="tab-content" />
        </Tabs>
      </PageSection>
      <PageSection isFilled id="tab-content" role="tabpanel">
        {tab === 'details' ? (
          <Details plan={plan} />
        ) : tab === 'report' ? (
          <Report plan={plan} />
        ) : tab === 'yaml' ? (
          <Yaml kind="Plan" name={plan.metadata.name} />
        ) : (
          <VmTable key={plan.metadata.uid} plan={plan} state={state} />
        )}
      </PageSection>
    </>
  );
}

function Banners({ plan, state }: { plan: Plan; state: PlanState }) {
  if (state !== 'NotReady' && state !== 'Ready') return null;
  return (
    <div className="gantry-mt-md gantry-banners">
      {problems(plan).map((condition) => (
        <ConditionAlert key={condition.type} condition={condition} />
      ))}
    </div>
  );
}

function Facts({ plan, state, now }: { plan: Plan; state: PlanState; now: number }) {
  const store = useStore();
  const status = plan.status;
  const migration = newestMigration(plan, store.list('Migration'));
  if (!status?.started) return null;
  const running = isActive(state);
  const speed = running ? planSpeed(store, plan) : {};
  const facts: [string, string][] = [
    [texts.plan.started, time(status.started)],
    ...(status.completed && !running ? ([[texts.plan.ended, time(status.completed)]] as [string, string][]) : []),
    [texts.plan.elapsed, clock(elapsed(status.started, running ? undefined : status.completed, now) ?? 0)],
    [texts.plan.copied, `${bytes(status.bytes.done)} / ${bytes(status.bytes.total)}`],
    ...(running
      ? ([
          [texts.plan.rate, speed.rate ? rate(speed.rate) : '–'],
          [texts.plan.timeLeft, speed.left !== undefined && Number.isFinite(speed.left) ? duration(speed.left) : '–'],
        ] as [string, string][])
      : []),
  ];
  if (running && status.cutover) facts.push([texts.plan.downtime, `≈ ${duration(status.cutover.seconds)}`]);
  return (
    <div className="gantry-mt-md">
      {state === 'CutoverScheduled' && migration?.spec.cutover && (
        <Alert isInline variant="info" title={texts.plan.cutoverAt(time(migration.spec.cutover))} className="gantry-mb-md" />
      )}
      <dl className="gantry-facts">
        {facts.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div className="gantry-mt-md">
        <PlanProgress plan={plan} state={state} store={store} brief />
      </div>
    </div>
  );
}

function Details({ plan }: { plan: Plan }) {
  const { spec } = plan;
  const rows: [string, string | undefined][] = [
    [texts.plan.sourceProvider, spec.provider.source.name],
    [texts.plan.targetProvider, spec.provider.destination.name],
    [texts.plan.targetNamespace, spec.targetNamespace],
    [texts.plan.migrationType, typeText(plan)],
    [texts.plan.networkMap, spec.map?.network?.name],
    [texts.plan.storageMap, spec.map?.storage?.name],
    [texts.plan.transferNetwork, spec.transferNetwork?.name ? `${spec.transferNetwork.namespace ?? ''}/${spec.transferNetwork.name}` : texts.plan.podNetwork],
    [texts.plan.created, time(plan.metadata.creationTimestamp)],
  ];
  return (
    <>
      <Terms columnModifier={{ default: '1Col', md: '2Col' }} rows={rows} missing={texts.common.none} />
      <Title headingLevel="h2" size="lg" className="gantry-my-md">
        {texts.plan.conditions}
      </Title>
      <div className="gantry-banners">
        {worstFirst(plan.status?.conditions).map((condition) => (
          <ConditionAlert key={condition.type} condition={condition} />
        ))}
      </div>
    </>
  );
}
