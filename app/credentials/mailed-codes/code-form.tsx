import { Form, useNavigation } from '@remix-run/react';
import type { ReactNode } from 'react';
import { Button } from '#app/ui/button.tsx';
import { CodeFromLink } from './code-from-link.tsx';
import { Checkbox, FormError, useFocusOnError, type Reply } from '#app/ui/field.tsx';

interface CodeFormProps {
  /** The address that the code was mailed to. */
  email: string;
  /** Path of the page: the code is submitted there, and "send another" to /again below it. */
  action: string;
  submitText: string;
  pendingText: string;
  reply: Reply;
  /** Path of the outbox in development; `null` in production. */
  outboxPath: string | null;
  /** Offers to sign out the other devices. */
  signOutOthers?: boolean;
  /** Shown below both forms, such as a link back. */
  children?: ReactNode;
}

/** The forms for typing a mailed code, and for requesting another one. */
export function CodeForm(props: CodeFormProps) {
  const { email, action, submitText, pendingText, reply, outboxPath, children } = props;
  const form = useFocusOnError(reply);
  const sentTo = useNavigation().formAction;
  return (
    <>
      <p className="text-muted">
        We sent a code to <strong className="font-medium text-ink">{email}</strong>. It may take a
        minute; look among the unwanted mail too.
      </p>
      {outboxPath && (
        <p className="rounded-xl bg-sunken px-4 py-3 text-small">
          Mail is not sent from this machine.{' '}
          <a
            className="font-medium text-accent underline underline-offset-4"
            href={outboxPath}
            target="_blank"
            rel="noreferrer"
          >
            Read it in the outbox
          </a>
          .
        </p>
      )}
      <Form method="post" action={action} ref={form} noValidate className="grid gap-6">
        <FormError reply={reply} />
        <CodeFromLink
          name="code"
          label="Code"
          help="Eight digits, good for ten minutes, in this browser only."
          filledHelp="Taken from the link. Send it off with the button."
          inputMode="numeric"
          enterKeyHint="go"
          required
          reply={reply}
        />
        {props.signOutOthers && (
          <Checkbox
            name="signOutOthers"
            label="Sign out everywhere else"
            help="Leave it on unless you know every device that is signed in."
            defaultChecked
            reply={reply}
          />
        )}
        <Button pending={sentTo === action} pendingText={pendingText}>
          {submitText}
        </Button>
      </Form>
      <Form method="post" action={`${action}/again`} className="flex flex-wrap items-center">
        <p className="text-muted">Nothing there?</p>
        <Button look="quiet" pending={sentTo === `${action}/again`} pendingText="Sending…">
          Send another code
        </Button>
      </Form>
      {children}
    </>
  );
}

/** Shown instead of the form in a browser that waits for no code: the link was opened in another one. */
export function CodeElsewhere({ children }: { children: ReactNode }) {
  return (
    <div className="grid gap-6">
      <CodeFromLink
        name="code"
        label="Code"
        help="Type it in the browser where you started; it works there only."
        readOnly
        reply={null}
      />
      {children}
    </div>
  );
}
