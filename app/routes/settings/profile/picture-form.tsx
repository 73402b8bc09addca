import { Form, useNavigation } from '@remix-run/react';
import { useEffect, useId, useRef, useState } from 'react';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import type { Reply } from '#app/ui/field.tsx';
import { UserPicture } from '#app/ui/user-picture.tsx';

const ADDRESS = '/settings/profile/picture';

interface PictureRules {
  maxBytes: number;
  /** The error for a larger file. */
  tooLarge: string;
  accept: string;
}

interface PictureFormProps {
  user: { name: string; picture: string | null };
  rules: PictureRules;
  reply?: Reply;
}

/**
 * Shows the user's picture and the form that uploads another. A file can be dropped on the field. With
 * scripts, a preview shows how the server will crop it.
 */
export function PictureForm({ user, rules, reply }: PictureFormProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<File | null>(null);
  const isPending = useNavigation().formAction === ADDRESS;
  const isTooLarge = chosen !== null && chosen.size > rules.maxBytes;
  const replyError = chosen === null ? reply?.error?.picture?.[0] : undefined;
  const error = isTooLarge ? rules.tooLarge : replyError;

  useEffect(() => {
    if (replyError) input.current?.focus();
  }, [reply, replyError]);

  return (
    <div className="mb-10 flex flex-col gap-5 sm:flex-row sm:gap-7">
      {chosen && !isTooLarge ? (
        <Preview file={chosen} />
      ) : (
        <UserPicture {...user} size="page" alt="Your picture" />
      )}
      <Form
        method="post"
        action={ADDRESS}
        encType="multipart/form-data"
        preventScrollReset
        noValidate
        onSubmit={(event) => {
          if (isTooLarge) event.preventDefault();
        }}
        className="grid w-full max-w-104 gap-3"
      >
        <label htmlFor={id} className="font-medium">
          Picture
        </label>
        <input
          ref={input}
          id={id}
          type="file"
          name="picture"
          accept={rules.accept}
          aria-invalid={error ? true : undefined}
          aria-describedby={`${id}-note`}
          // eslint-disable-next-line jsx-a11y/no-autofocus -- focuses the error, also without scripts
          autoFocus={replyError !== undefined}
          onChange={(event) => setChosen(event.currentTarget.files?.[0] ?? null)}
          className={`block w-full cursor-pointer rounded-xl border border-dashed bg-raised p-3 text-small text-muted file:mr-3 file:min-h-10 file:cursor-pointer file:rounded-xl file:border-0 file:bg-sunken file:px-4 file:font-medium file:text-ink ${error ? 'border-danger' : 'border-control'}`}
        />
        <p
          id={`${id}-note`}
          role={isTooLarge ? 'alert' : undefined}
          className={`text-small ${error ? 'font-medium text-danger' : 'text-muted'}`}
        >
          {error ?? 'JPEG, PNG, WebP, AVIF or GIF, at most 10 MB.'}
        </p>
        <div className="flex flex-wrap gap-2">
          <Button look="secondary" pending={isPending} pendingText="Sending…">
            {user.picture ? 'Change picture' : 'Add picture'}
          </Button>
          {user.picture && (
            <ButtonLink to={`${ADDRESS}/remove`} preventScrollReset look="quiet-danger">
              Remove
              <span className="sr-only"> your picture</span>
            </ButtonLink>
          )}
        </div>
      </Form>
    </div>
  );
}

const PREVIEW_PIXELS = 256;

/**
 * Shows the middle of the picture, as the server will crop it. On a canvas, because the
 * Content-Security-Policy does not allow `blob:` images.
 */
function Preview({ file }: { file: File }) {
  const canvas = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    let isStale = false;
    const context = canvas.current?.getContext('2d');
    context?.clearRect(0, 0, PREVIEW_PIXELS, PREVIEW_PIXELS);
    const draw = (image: ImageBitmap) => {
      const side = Math.min(image.width, image.height);
      const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
      if (!isStale) {
        context?.drawImage(image, left, top, side, side, 0, 0, PREVIEW_PIXELS, PREVIEW_PIXELS);
      }
      image.close();
    };
    // The server may be able to read what the browser cannot, and reports an error if not.
    createImageBitmap(file).then(draw, () => undefined);
    return () => {
      isStale = true;
    };
  }, [file]);

  return (
    <div role="img" aria-label="The picture that you have chosen" className="size-24 shrink-0">
      <canvas
        ref={canvas}
        width={PREVIEW_PIXELS}
        height={PREVIEW_PIXELS}
        className="size-24 rounded-full bg-glow"
      />
    </div>
  );
}
