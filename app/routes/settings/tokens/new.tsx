import { redirect, type ActionFunctionArgs } from '@remix-run/node';
import { Form, useActionData, useLoaderData, useNavigation } from '@remix-run/react';
import * as z from 'zod';
import {
  DEFAULT_TOKEN_DAYS,
  MAX_TOKENS,
  TOKEN_DAYS,
  tokenNameSchema,
  tokenScopes,
  type TokenScope,
} from '#app/tokens/token-schema.ts';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { Checkbox, Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Make an access token', { index: false });

const TOKENS_PAGE = '/settings/tokens';
const ticked = z.literal('on').optional();
const formSchema = z.object({
  name: tokenNameSchema,
  days: z
    .enum(TOKEN_DAYS.map(String) as [string, ...string[]], 'Choose one of these.')
    .transform((days) => TOKEN_DAYS.find((choice) => String(choice) === days)!),
  'sessions:read': ticked,
  'sessions:manage': ticked,
  download: ticked,
});

const scopes = Object.entries(tokenScopes) as [TokenScope, (typeof tokenScopes)[TokenScope]][];

export async function loader() {
  return {
    scopes: scopes.map(([scope, { title, what }]) => ({ scope, title, what })),
    days: TOKEN_DAYS.map((days) => ({ days, isDefault: days === DEFAULT_TOKEN_DAYS })),
  };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const signedIn = await requireSignedIn(visit);
  const form = await parseForm(request, formSchema);
  if (!form.ok) return showAgain(form.reply);
  const { name, days, ...boxes } = form.value;
  const chosen = scopes.map(([scope]) => scope).filter((scope) => boxes[scope] === 'on');
  if (chosen.length === 0) {
    return showAgain(form.fail({ form: 'Choose at least one thing that it may do.' }));
  }
  const newToken = { name, days, scopes: chosen };
  const token = await app.accessTokens.create(visit, signedIn.user.id, newToken, MAX_TOKENS);
  if (token === null) {
    const text = `You have ${MAX_TOKENS} access tokens. Revoke one first.`;
    return showAgain(form.fail({ form: text }));
  }
  app.newTokens.write(visit, signedIn, { name, token });
  return redirect(`${TOKENS_PAGE}/made`);
}

export default function MakeToken() {
  const page = useLoaderData<typeof loader>();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formMethod === 'POST';
  const typedDays = reply?.initialValue?.days;
  return (
    <>
      <SettingsHeading
        title="Make an access token"
        lead="Whoever has it can do what you choose here, without a password. Choose no more than it needs."
      />
      <Form method="post" ref={form} noValidate className="grid max-w-104 gap-8">
        <FormError reply={reply} />
        <Field
          name="name"
          label="What is it for?"
          help="So that you know it again."
          placeholder="Backup script"
          autoComplete="off"
          enterKeyHint="done"
          required
          reply={reply}
        />
        <fieldset className="grid gap-4">
          <legend className="mb-3 font-medium">What it may do</legend>
          {page.scopes.map(({ scope, title, what }) => (
            <Checkbox key={scope} name={scope} label={title} help={what} reply={reply} />
          ))}
        </fieldset>
        <fieldset className="grid gap-2">
          <legend className="mb-2 font-medium">When it ends</legend>
          <div className="flex flex-wrap gap-x-6 gap-y-2">
            {page.days.map(({ days, isDefault }) => (
              <label key={days} className="flex min-h-11 items-center gap-2.5 sm:min-h-8">
                <input
                  type="radio"
                  name="days"
                  value={days}
                  defaultChecked={reply ? typedDays === String(days) : isDefault}
                  className="size-5 accent-(--accent)"
                />
                {days === 365 ? 'In a year' : `In ${days} days`}
              </label>
            ))}
          </div>
        </fieldset>
        <div className="flex flex-wrap gap-3">
          <Button pending={isPending} pendingText="Making it…">
            Make token
          </Button>
          <ButtonLink to={TOKENS_PAGE} look="quiet">
            Cancel
          </ButtonLink>
        </div>
      </Form>
    </>
  );
}
