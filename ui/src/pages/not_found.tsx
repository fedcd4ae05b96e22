// An address that shows nothing.
import { Button, PageSection } from '@patternfly/react-core';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import { useNavigate } from 'react-router-dom';
import { Empty } from '../parts/states';
import { texts } from '../texts';

export function NotFoundPage({ title = texts.shell.notFound }: { title?: string }) {
  const navigate = useNavigate();
  return (
    <PageSection>
      <Empty
        title={title}
        body={texts.shell.notFoundBody}
        icon={SearchIcon}
        actions={<Button onClick={() => navigate('/plans')}>{texts.shell.home}</Button>}
      />
    </PageSection>
  );
}
