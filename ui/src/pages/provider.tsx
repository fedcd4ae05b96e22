// One provider: the hosts of a source, and the object itself.
import { Breadcrumb, BreadcrumbItem, Flex, FlexItem, PageSection, Tab, Tabs, TabTitleText, Title } from '@patternfly/react-core';
import { Link, useParams, useSearchParams } from 'react-router-dom';
import { useStore } from '../api/store';
import { HealthLabel } from '../parts/conditions';
import { Hosts } from '../parts/hosts';
import { Loading, Troubles } from '../parts/states';
import { Yaml } from '../parts/yaml';
import { texts } from '../texts';
import { NotFoundPage } from './not_found';

const t = texts.providers;

export function ProviderPage() {
  const { name } = useParams();
  const store = useStore();
  const [query, setQuery] = useSearchParams();
  const provider = store.get('Provider', name);

  if (!provider) return store.synced ? <NotFoundPage title={t.notFound(name!)} /> : <Loading title={t.loading} />;
  const hasHosts = provider.spec.type !== 'openshift';
  const tab = hasHosts && query.get('tab') !== 'yaml' ? 'hosts' : 'yaml';
  return (
    <>
      <PageSection>
        <Breadcrumb>
          <BreadcrumbItem>
            <Link to={`/providers/${provider.spec.type}`}>{t.title}</Link>
          </BreadcrumbItem>
          <BreadcrumbItem isActive>{name}</BreadcrumbItem>
        </Breadcrumb>
        <Flex className="gantry-mt-sm">
          <FlexItem className="gantry-break">
            <Title headingLevel="h1">{name}</Title>
          </FlexItem>
          <FlexItem>
            <HealthLabel object={provider} />
          </FlexItem>
        </Flex>
        <p className="gantry-subtle">{t.types[provider.spec.type]}</p>
        <Troubles kinds={['Provider', 'Host']} />
      </PageSection>
      <PageSection type="tabs">
        <Tabs activeKey={tab} onSelect={(_event, key) => setQuery(key === 'yaml' ? { tab: 'yaml' } : {}, { replace: true })} usePageInsets aria-label={t.title}>
          {hasHosts && <Tab eventKey="hosts" title={<TabTitleText>{t.hosts}</TabTitleText>} tabContentId="tab-content" />}
          <Tab eventKey="yaml" title={<TabTitleText>{texts.common.yaml}</TabTitleText>} tabContentId="tab-content" />
        </Tabs>
      </PageSection>
      <PageSection isFilled id="tab-content" role="tabpanel" aria-label={name}>
        {tab === 'hosts' ? <Hosts provider={provider} /> : <Yaml kind="Provider" name={provider.metadata.name} />}
      </PageSection>
    </>
  );
}
