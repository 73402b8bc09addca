import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { Form, useLoaderData, useNavigation } from '@remix-run/react';
import { pictureRules } from '#app/account/picture-upload.server.ts';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import { PictureForm } from './picture-form.tsx';
import { Dialog } from '#app/ui/question.tsx';
import { requireSignedIn } from '#app/visit/visit.ts';
import { pageMeta } from '#app/ui/page-meta.ts';

export const meta = pageMeta('Remove your picture', { index: false });

const PAGE = '/settings/profile';

export async function loader({ context: { visit } }: LoaderFunctionArgs) {
  const { name, picture } = (await requireSignedIn(visit)).user;
  if (picture === null) return redirect(PAGE);
  return { user: { name, picture }, rules: pictureRules };
}

export async function action({ context: { app, visit } }: ActionFunctionArgs) {
  const { user } = await requireSignedIn(visit);
  // Another tab may have removed it meanwhile: the result is the same.
  await app.pictures.remove(user.id);
  app.toast.show(visit, 'Your picture is removed.');
  return redirect(PAGE);
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
