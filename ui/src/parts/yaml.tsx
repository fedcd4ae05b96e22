// An object as YAML, as kubectl would print it, without what only machines read.
import { Alert, Button, CodeBlock, CodeBlockAction, CodeBlockCode, Spinner } from '@patternfly/react-core';
import { stringify } from 'yaml';
import * as cluster from '../api/cluster';
import { useFetched } from '../api/use';
import type { Kind, Resource } from '../model/types';
import { texts } from '../texts';
import { saveText } from './save';

async function forPeople(kind: Kind, name: string): Promise<Resource> {
  const object = await cluster.get<Resource & { metadata: { managedFields?: unknown } }>(kind, name);
  delete object.metadata.managedFields;
  delete object.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  return object;
}

export function Yaml({ kind, name }: { kind: Kind; name: string }) {
  const { data, problem } = useFetched(`${kind}/${name}`, () => forPeople(kind, name));
  if (problem) return <Alert isInline variant="danger" title={problem} />;
  if (!data) return <Spinner aria-label={texts.plan.yamlLoading} />;
  return <YamlText name={name} object={data} />;
}

export function YamlText({ name, object }: { name: string; object: unknown }) {
  const text = stringify(object);
  return (
    <CodeBlock
      actions={
        <CodeBlockAction>
          <Button variant="link" size="sm" onClick={() => saveText(`${name}.yaml`, text, 'application/yaml')}>
            {texts.common.download}
          </Button>
        </CodeBlockAction>
      }
    >
      <CodeBlockCode className="gantry-yaml" tabIndex={0}>
        {text}
      </CodeBlockCode>
    </CodeBlock>
  );
}
