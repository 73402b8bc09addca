/**
 * What a commit is checked for. Checks only: a hook that rewrites files commits what nobody read.
 *
 * @type {import('lint-staged').Configuration}
 */
export default {
  '*.{ts,tsx,js}': 'eslint --max-warnings 0 --no-warn-ignored',
  '*': 'prettier --check --ignore-unknown',
};
