import { useEffect, useRef, useState, type ComponentProps, type ReactNode } from 'react';
import { Field } from '#app/ui/field.tsx';

interface CodeFromLinkProps extends Omit<ComponentProps<typeof Field>, 'type' | 'help'> {
  /** What to do without the link: "Six digits, from the mail." */
  help: ReactNode;
  /** In place of the help once the link has filled the field; the help stays when left out. */
  filledHelp?: ReactNode;
}

/** What codes and keys consist of; anything else in an address was not put there by us. */
const CODE = /^#([\w.-]{1,128})$/;

/**
 * A field for a code or key that came by mail. A link there carries it behind the "#", which no
 * browser sends to a server or names as the referrer: it is read here, put into the field, and taken
 * out of the address and the history. Whoever follows links before people do (mail scanners) uses
 * nothing up: the form still has to be sent. Without scripts the code is typed or pasted.
 */
export function CodeFromLink({ help, filledHelp, ...field }: CodeFromLinkProps) {
  const place = useRef<HTMLDivElement>(null);
  const [isFilled, setIsFilled] = useState(false);

  useEffect(() => {
    const fill = () => {
      const code = CODE.exec(window.location.hash)?.[1];
      const input = place.current?.querySelector('input');
      if (code === undefined || !input) return;
      input.value = code;
      const { pathname, search } = window.location;
      window.history.replaceState(window.history.state, '', pathname + search);
      setIsFilled(true);
    };
    fill();
    // A second link to the page that is open already changes nothing but what stands behind the "#".
    window.addEventListener('hashchange', fill);
    return () => window.removeEventListener('hashchange', fill);
  }, []);

  return (
    <div ref={place}>
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
