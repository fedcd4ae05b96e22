// An object as YAML, as kubectl would print it, without what only machines read.
import { Alert, Button, CodeBlock, CodeBlockAction, CodeBlockCode, Spinner } from '@patternfly/react-core';
import { useEffect, useState } from 'react';
import { stringify } from 'yaml';
import * as cluster from '../api/cluster';
import { messageOf } from '../api/http';
import type { Kind, Resource } from '../model/types';
import { texts } from '../texts';
import { saveText } from './save';

export function Yaml({ kind, name }: { kind: Kind; name: string }) {
  const [found, setFound] = useState<unknown>();
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    cluster.get<Resource & { metadata: { managedFields?: unknown } }>(kind, name).then(
      (object) => {
        delete object.metadata.managedFields;
        delete object.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
        setFound(object);
      },
      (error: unknown) => setProblem(messageOf(error)),
    );
  }, [kind, name]);

  if (problem) return <Alert isInline variant="danger" title={problem} />;
  if (found === undefined) return <Spinner aria-label={texts.plan.yamlLoading} />;
  return <YamlText name={name} object={found} />;
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
