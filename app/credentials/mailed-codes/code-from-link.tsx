import { useEffect, useRef, useState, type ComponentProps, type ReactNode } from 'react';
import { Field } from '#app/ui/field.tsx';

interface CodeFromLinkProps extends Omit<ComponentProps<typeof Field>, 'type' | 'help'> {
  /** What to do without the link, such as "Eight digits, from the mail." */
  help: ReactNode;
  /** Replaces the help once the link has filled the field. Default: the help. */
  filledHelp?: ReactNode;
}

/** The characters of codes and keys; any other fragment is not ours. */
const CODE = /^#([\w.-]{1,128})$/;

/**
 * A field for a code or key that came by mail. The link in the mail carries it in the fragment ("#"),
 * which browsers send neither to a server nor as the referrer. This field reads it, and removes it from
 * the address and the history. Mail scanners that open links use nothing up, because the form still has
 * to be submitted. Without scripts the user types or pastes the code.
 */
export function CodeFromLink({ help, filledHelp, ...field }: CodeFromLinkProps) {
  const container = useRef<HTMLDivElement>(null);
  const [isFilled, setIsFilled] = useState(false);

  useEffect(() => {
    const fill = () => {
      const code = CODE.exec(window.location.hash)?.[1];
      const input = container.current?.querySelector('input');
      if (code === undefined || !input) return;
      input.value = code;
      const { pathname, search } = window.location;
      window.history.replaceState(window.history.state, '', pathname + search);
      setIsFilled(true);
    };
    fill();
    // A second link to a page that is open already changes only the fragment.
    window.addEventListener('hashchange', fill);
    return () => window.removeEventListener('hashchange', fill);
  }, []);

  return (
    <div ref={container}>
      <Field
        autoComplete="one-time-code"
        autoCapitalize="none"
        spellCheck={false}
        {...field}
        type="text"
        help={isFilled ? (filledHelp ?? help) : help}
      />
    </div>
  );
}
