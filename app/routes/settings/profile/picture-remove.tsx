import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type MetaFunction,
} from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { requireSignedIn } from '#app/http/signed-in.server.ts';
import { pictureRules } from '#app/account/picture-upload.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { PictureForm } from './picture-form.tsx';
import { Dialog } from '#app/ui/question.tsx';

export const meta: MetaFunction = () => [
  { title: 'Remove your picture · Latchkey' },
  { name: 'robots', content: 'noindex' },
];

const PAGE = '/settings/profile';

export async function loader(args: LoaderFunctionArgs) {
  const { name, picture } = (await requireSignedIn(args)).user;
  if (picture === null) return redirect(PAGE);
  return { user: { name, picture }, rules: pictureRules };
}

export async function action(args: ActionFunctionArgs) {
  const { context } = args;
  const { user } = await requireSignedIn(args);
  // What somebody else has removed meanwhile is removed.
  await context.pictures.remove(user.id);
  return redirect(PAGE, {
    headers: { 'Set-Cookie': writeToast({ kind: 'picture-removed' }, context.origin) },
  });
}

export default function RemovePicture() {
  const page = useLoaderData<typeof loader>();
  const isPending = useNavigation().formMethod === 'POST';
  return (
    <>
      <Dialog title="Remove your picture?" backTo={PAGE}>
        <p className="text-muted">
          It is deleted for good. The first letter of your name stands in its place.
        </p>
        <Form method="post" preventScrollReset className="flex flex-wrap justify-end gap-3">
          <ButtonLink to={PAGE} preventScrollReset look="quiet">
            Keep it
          </ButtonLink>
          <Button look="danger" pending={isPending} pendingText="Removing…">
            Remove
          </Button>
        </Form>
      </Dialog>
      <PictureForm {...page} />
    </>
  );
}
