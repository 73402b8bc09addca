import {
  data,
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { useActionData, useLoaderData } from '@remix-run/react';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { pictureRules, receivePicture } from '#app/account/picture-upload.server.ts';
import { loginPath } from '#app/http/return-path.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { PictureForm } from './picture-form.tsx';

export { retryHeaders as headers } from '#app/http/form.server.ts';

export const meta: MetaFunction = () => [
  { title: 'Profile · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

/** The profile once more: where it is when a picture was refused. */
export async function loader(args: LoaderFunctionArgs) {
  const { name, picture } = (await requireSignedIn(args)).user;
  return { user: { name, picture }, rules: pictureRules };
}

export async function action(args: ActionFunctionArgs) {
  const { context, request } = args;
  const { user } = await requireSignedIn(args);
  const upload = await receivePicture(context, user, request);
  if (upload.ok === null) return redirect(loginPath(request, context.origin));
  if (!upload.ok) {
    const { reply, status, headers } = upload;
    return data({ reply }, { status, headers });
  }
  return redirect('/settings/profile', {
    headers: { 'Set-Cookie': writeToast({ kind: 'picture-saved' }, context.origin) },
  });
}

export default function ProfilePicture() {
  const reply = useActionData<typeof action>()?.reply;
  return <PictureForm {...useLoaderData<typeof loader>()} reply={reply} />;
}
