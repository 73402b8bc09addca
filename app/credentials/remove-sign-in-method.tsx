import { Form, useNavigation } from '@remix-run/react';
import type { ReactNode } from 'react';
import type { FormReply } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox, FormError } from '#app/ui/field.tsx';
import { Dialog } from '#app/ui/question.tsx';

interface RemoveSignInMethodProps {
  title: string;
  /** The page that the user came from. */
  backTo: string;
  /** The user's only method cannot be removed; `explanation` then says what to do first. */
  isLast: boolean;
  explanation: ReactNode;
  /** Of the button: "Remove", and "Removing…" while it is under way. */
  action: { text: string; pendingText: string };
  reply: FormReply | undefined;
}

/** Asks before a sign-in method is removed; or says why the last one stays. */
export function RemoveSignInMethod(props: RemoveSignInMethodProps) {
  const { title, backTo, isLast, explanation, action, reply } = props;
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <Dialog title={title} backTo={backTo}>
      <FormError reply={reply} />
      <p className="text-muted">{explanation}</p>
      {isLast ? (
        <div className="flex justify-end">
          <ButtonLink to={backTo} preventScrollReset>
            Keep it
          </ButtonLink>
        </div>
      ) : (
        <Form method="post" preventScrollReset className="grid gap-5">
          <Checkbox
            name="signOutOthers"
            label="Sign out everywhere else"
            help="Also anyone who signed in with it."
            defaultChecked
            reply={reply}
          />
          <div className="flex flex-wrap justify-end gap-3">
            <ButtonLink to={backTo} preventScrollReset look="quiet">
              Keep it
            </ButtonLink>
            <Button look="danger" pending={isPending} pendingText={action.pendingText}>
              {action.text}
            </Button>
          </div>
        </Form>
      )}
    </Dialog>
  );
}
