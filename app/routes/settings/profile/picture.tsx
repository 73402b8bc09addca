import { data, redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { useActionData, useLoaderData } from '@remix-run/react';
import { pictureRules, receivePicture } from '#app/account/picture-upload.server.ts';
import { loginPath } from '#app/http/return-path.server.ts';
import { PictureForm } from './picture-form.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta = pageMeta('Profile', { index: false });

/** Shows the profile page again after a picture was refused. */
export async function loader({ context: { visit } }: LoaderFunctionArgs) {
  const { name, picture } = (await requireSignedIn(visit)).user;
  return { user: { name, picture }, rules: pictureRules };
}

export async function action({ request, context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  const upload = await receivePicture(app.pictures, visit, user, request);
  if (upload.ok === null) return redirect(loginPath(request, app.origin));
  if (!upload.ok) {
    const { reply, status, headers } = upload;
    return data({ reply }, { status, headers });
  }
  app.toast.show(visit, 'Your picture is saved.');
  return redirect('/settings/profile');
}

export default function ProfilePicture() {
  const reply = useActionData<typeof action>()?.reply;
  return <PictureForm {...useLoaderData<typeof loader>()} reply={reply} />;
}
