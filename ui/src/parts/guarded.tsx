// A button for something that is not always possible: then it stays where it is, does nothing, and says why.
import { Button, Tooltip, type ButtonProps } from '@patternfly/react-core';

// why: the reason; undefined when it is possible.
export function GuardedButton({ why, onClick, ...rest }: ButtonProps & { why: string | undefined }) {
  if (!why) return <Button onClick={onClick} {...rest} />;
  return (
    <Tooltip content={why}>
      <Button {...rest} isAriaDisabled />
    </Tooltip>
  );
}
