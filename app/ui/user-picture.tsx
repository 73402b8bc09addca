const looks = {
  menu: { pixels: 32, file: 64, shape: 'size-8 text-base' },
  page: { pixels: 96, file: 256, shape: 'size-24 text-hero' },
} as const;

/** A user's picture, or the first letter of their name if there is none. */
export function UserPicture({
  name,
  picture,
  size,
  alt = '',
}: {
  name: string;
  picture: string | null;
  size: keyof typeof looks;
  /** Leave it out if the name is next to the picture. */
  alt?: string;
}) {
  const { pixels, file, shape } = looks[size];
  if (picture !== null) {
    return (
      <img
        src={`/picture/${picture}/${file}`}
        alt={alt}
        width={pixels}
        height={pixels}
        className={`${shape} shrink-0 rounded-full bg-glow object-cover`}
      />
    );
  }
  return (
    <span
      aria-hidden
      className={`${shape} grid shrink-0 place-items-center rounded-full bg-glow font-semibold text-accent-strong`}
    >
      {[...name][0]?.toUpperCase()}
    </span>
  );
}
