// Everything at a glance: how many plans and VMs are where, how fast bytes come, and what has failed for which reason.
import { Card, CardBody, CardTitle, Grid, GridItem, List, ListItem, PageSection, Title } from '@patternfly/react-core';
import { useEffect, useState } from 'react';
import { Link } from 'react-router-dom';
import { store as theStore, useStore } from '../api/store';
import { failureGroups } from '../model/failures';
import { rate } from '../model/format';
import { filterState, filterStates, isActive, planState } from '../model/plan_state';
import { useNow } from '../parts/clock';
import { PlanProgress } from '../parts/plan_status';
import { Loading, Troubles } from '../parts/states';
import { texts } from '../texts';

const t = texts.overview;

// Samples of the last minutes; they go on while another page is shown as long as this one was opened once.
const every_ms = 2000;
const most_samples = 150;
const samples: number[] = [];
let sampling = false;

function sample() {
  const now = Date.now();
  const migrations = theStore.list('Migration');
  const active = theStore.list('Plan').filter((plan) => isActive(planState(plan, migrations, now)));
  samples.push(active.reduce((sum, plan) => sum + (theStore.planMeter(plan.metadata.name)?.rate() ?? 0), 0));
  if (samples.length > most_samples) samples.shift();
}

export function OverviewPage() {
  const store = useStore();
  const now = useNow(every_ms);
  const [, draw] = useState(0);

  useEffect(() => {
    if (!sampling) setInterval(sample, every_ms);
    sampling = true;
    const timer = setInterval(() => draw((n) => n + 1), every_ms);
    return () => clearInterval(timer);
  }, []);

  if (!store.synced) return <Loading title={texts.plans.loading} />;
  const migrations = store.list('Migration');
  const plans = store.list('Plan').map((plan) => ({ plan, state: planState(plan, migrations, now) }));
  const running = plans.filter(({ state }) => isActive(state));
  const sum = (count: (vms: NonNullable<(typeof plans)[0]['plan']['status']>['vms']) => number) =>
    plans.reduce((total, { plan }) => total + (plan.spec.archived || !plan.status ? 0 : count(plan.status.vms)), 0);
  const groups = failureGroups(plans.map(({ plan }) => plan));

  return (
    <>
      <PageSection>
        <Title headingLevel="h1">{t.title}</Title>
        <Troubles kinds={['Plan', 'Migration']} />
      </PageSection>
      <PageSection isFilled>
        <Grid hasGutter>
          <GridItem md={6} xl={3}>
            <Card isFullHeight>
              <CardTitle component="h2">{t.plans}</CardTitle>
              <CardBody>
                <dl className="gantry-counts">
                  {filterStates
                    .map((state) => [state, plans.filter((each) => filterState(each.state) === state).length] as const)
                    .filter(([, n]) => n > 0)
                    .map(([state, n]) => (
                      <div key={state}>
                        <dt>{texts.filterState[state]}</dt>
                        <dd>{n}</dd>
                      </div>
                    ))}
                </dl>
                <Link to="/plans">{texts.plans.title}</Link>
              </CardBody>
            </Card>
          </GridItem>
          <GridItem md={6} xl={3}>
            <Card isFullHeight>
              <CardTitle component="h2">{t.vms}</CardTitle>
              <CardBody>
                <dl className="gantry-counts">
                  {(
                    [
                      [texts.vmState.Succeeded, sum((vms) => vms.succeeded)],
                      [texts.vmState.Running, sum((vms) => vms.running)],
                      [texts.vmState.Queued, sum((vms) => vms.queued)],
                      [texts.vmState.Failed, sum((vms) => vms.failed)],
                      [texts.vmState.Canceled, sum((vms) => vms.canceled)],
                      [texts.vmState.NotStarted, sum((vms) => vms.total - vms.reported)],
                    ] as [string, number][]
                  ).map(([state, n]) => (
                    <div key={state}>
                      <dt>{state}</dt>
                      <dd>{n}</dd>
                    </div>
                  ))}
                </dl>
              </CardBody>
            </Card>
          </GridItem>
          <GridItem xl={6}>
            <Card isFullHeight>
              <CardTitle component="h2">{t.throughput}</CardTitle>
              <CardBody>
                <div className="gantry-big gantry-numbers">{rate(samples[samples.length - 1] ?? 0)}</div>
                <Chart values={samples} />
                <p className="gantry-subtle">{t.throughputHelp}</p>
              </CardBody>
            </Card>
          </GridItem>
          <GridItem xl={6}>
            <Card isFullHeight>
              <CardTitle component="h2">{t.running}</CardTitle>
              <CardBody>
                {running.length ? (
                  <div className="gantry-stack">
                    {running.map(({ plan, state }) => (
                      <div key={plan.metadata.uid}>
                        <Link to={`/plans/${plan.metadata.name}`}>{plan.metadata.name}</Link>
                        <PlanProgress plan={plan} state={state} store={store} />
                      </div>
                    ))}
                  </div>
                ) : (
                  t.noneRunning
                )}
              </CardBody>
            </Card>
          </GridItem>
          <GridItem xl={6}>
            <Card isFullHeight>
              <CardTitle component="h2">{t.failures}</CardTitle>
              <CardBody>
                {groups.length ? (
                  <List isPlain isBordered>
                    {groups.map((group) => (
                      <ListItem key={group.reason}>
                        <strong className="gantry-break">{group.reason}</strong>
                        {group.remedy && <p className="gantry-break">{t.remedy(group.remedy)}</p>}
                        <div className="gantry-subtle">
                          {texts.plans.vms(group.vms.length)}:{' '}
                          {group.vms.slice(0, 10).map((vm, n) => (
                            <span key={`${vm.plan}/${vm.name}`}>
                              {n > 0 && ', '}
                              <Link to={`/plans/${vm.plan}`}>{vm.name}</Link>
                            </span>
                          ))}
                          {group.vms.length > 10 && ` ${texts.plans.more(group.vms.length - 10)}`}
                        </div>
                      </ListItem>
                    ))}
                  </List>
                ) : (
                  t.noFailures
                )}
              </CardBody>
            </Card>
          </GridItem>
        </Grid>
      </PageSection>
    </>
  );
}

// A line over an area, drawn with nothing but SVG.
function Chart({ values }: { values: number[] }) {
  const most = Math.max(1, ...values);
  const points = values.map((value, n) => `${(n * 100) / (most_samples - 1)},${(40 - (value * 36) / most).toFixed(2)}`);
  const end = ((values.length - 1) * 100) / (most_samples - 1);
  return (
    <svg className="gantry-chart" viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label={`${t.throughput}: ${rate(values[values.length - 1] ?? 0)}`}>
      {values.length > 1 && (
        <>
          <polygon className="gantry-chart-area" points={`0,40 ${points.join(' ')} ${end},40`} />
          <polyline className="gantry-chart-line" points={points.join(' ')} />
        </>
      )}
    </svg>
  );
}
