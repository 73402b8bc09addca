import { Form, useNavigation } from '@remix-run/react';
import { useEffect, useId, useRef, useState } from 'react';
import { Button, ButtonLink } from '#app/ui/button.tsx';
import type { Reply } from '#app/ui/field.tsx';
import { UserPicture } from '#app/ui/user-picture.tsx';

const ADDRESS = '/settings/profile/picture';

export interface PictureRules {
  maxBytes: number;
  /** What is said of a file that is larger. */
  tooLarge: string;
  accept: string;
}

interface PictureFormProps {
  user: { name: string; picture: string | null };
  rules: PictureRules;
  reply?: Reply;
}

/**
 * The person's picture, and the form that sends another. A file can be dropped on the field; with
 * scripts it is shown as it will be, before it is sent.
 */
export function PictureForm({ user, rules, reply }: PictureFormProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<File | null>(null);
  const isPending = useNavigation().formAction === ADDRESS;
  const isTooLarge = chosen !== null && chosen.size > rules.maxBytes;
  const said = chosen === null ? reply?.error?.picture?.[0] : undefined;
  const error = isTooLarge ? rules.tooLarge : said;

  useEffect(() => {
    if (said) input.current?.focus();
  }, [reply, said]);

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
          // eslint-disable-next-line jsx-a11y/no-autofocus -- to the error, also without scripts
          autoFocus={said !== undefined}
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

/** The middle of the picture, as the server will cut it. Drawn: an image of a blob is not allowed here. */
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
        context?.drawImage(
          ...([image, left, top, side, side] as const),
          ...([0, 0, PREVIEW_PIXELS, PREVIEW_PIXELS] as const),
        );
      }
      image.close();
    };
    // What the browser cannot show, the server may; and it says so if not.
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
