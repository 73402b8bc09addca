import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import {
  Form,
  Link,
  useActionData,
  useLoaderData,
  useNavigation,
  useOutlet,
} from '@remix-run/react';
import * as z from 'zod';
import { parseForm, showAgain } from '#app/http/form.server.ts';
import { pictureRules } from '#app/account/picture-upload.server.ts';
import { Button } from '#app/ui/button.tsx';
import { Field, FormError, useFocusOnError } from '#app/ui/field.tsx';
import { SettingsHeading } from '#app/ui/page.tsx';
import { PictureForm } from './picture-form.tsx';
import { userNameSchema } from '#app/database/users.server.ts';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Profile', { index: false });

const profileSchema = z.object({ name: userNameSchema });

export async function loader({ context: { visit } }: LoaderFunctionArgs) {
  const { name, email, picture } = (await requireSignedIn(visit)).user;
  return { name, email, picture, rules: pictureRules };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const form = await parseForm(request, profileSchema);
  if (!form.ok) return showAgain(form.reply);
  await app.users.rename(user.id, form.value.name, visit.now);
  app.toast.show(visit, 'Your profile is saved.');
  return redirect('/settings/profile');
}

export default function Profile() {
  const { name, email, picture, rules } = useLoaderData<typeof loader>();
  const pictureOutlet = useOutlet();
  const reply = useActionData<typeof action>()?.reply;
  const form = useFocusOnError(reply);
  const isPending = useNavigation().formAction === '/settings/profile';
  return (
    <>
      <SettingsHeading title="Profile" lead="Your picture and your name. Only you see them." />
      {pictureOutlet ?? <PictureForm key={picture} user={{ name, picture }} rules={rules} />}
      <Form
        method="post"
        action="/settings/profile"
        ref={form}
        noValidate
        className="grid max-w-104 gap-6"
      >
        <FormError reply={reply} />
        <Field
          name="name"
          label="Name"
          autoComplete="name"
          enterKeyHint="done"
          required
          defaultValue={name}
          reply={reply}
        />
        <div className="grid gap-1.5">
          <p className="font-medium">E-mail</p>
          <p className="flex flex-wrap gap-x-4 text-muted">
            <span>{email}</span>
            <Link
              className="font-medium text-accent underline underline-offset-4"
              to="/settings/email"
            >
              Change e-mail
            </Link>
          </p>
        </div>
        <div>
          <Button pending={isPending} pendingText="Saving…">
            Save
          </Button>
        </div>
      </Form>
    </>
  );
}
