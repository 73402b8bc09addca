import js from '@eslint/js';
// @ts-expect-error -- it comes without types
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const NAMED_EXPORTS_ONLY = { restrictDefaultExports: { direct: true, named: true } };

const UNSAFE_RULES = ['argument', 'assignment', 'call', 'member-access', 'return'];
/** @type {import('eslint').Linter.RulesRecord} */
const unsafeRulesOff = Object.fromEntries(
  UNSAFE_RULES.map((rule) => [`@typescript-eslint/no-unsafe-${rule}`, 'off']),
);

export default defineConfig(
  {
    ignores: [
      'build',
      'dist',
      'data',
      'public',
      'reports',
      'coverage',
      '.stryker-tmp',
      'prisma/*/client',
      // What it imports is there only where somebody runs it.
      'bench',
    ],
  },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // `== null` is the one question that means two things on purpose.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-implicit-coercion': ['error', { boolean: false }],
      'no-restricted-globals': ['error', 'event', 'name'],
      'object-shorthand': 'error',
      'prefer-template': 'error',
      // TypeScript knows every global, in checked JavaScript too.
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        // `typeof import('./server.ts')` is what a dynamic import is cast to.
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      // A callback may answer, or answer nothing.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // An interface of promises is kept by async methods, whether they wait for anything or not.
      '@typescript-eslint/require-await': 'off',
      // A number in a template reads as itself.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowRegExp: true },
      ],
      // `onClick={() => close()}` says what it does; so does an arrow that forwards.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // After a check that TypeScript cannot follow.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Counting the characters of a text is what spreading it is for.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // A leading underscore says "left out on purpose".
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // React hands a promise to an event handler back to nobody; ours say what became of it.
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { attributes: false } },
      ],
      // Remix's way to leave a loader is to throw a Response.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allow: [{ from: 'lib', name: 'Response' }], allowThrowingUnknown: true },
      ],
    },
  },
  {
    files: ['app/**/*.{ts,tsx}'],
    rules: {
      // What the application has to say goes through its log, which knows what to leave out.
      'no-console': 'error',
      'no-restricted-exports': ['error', NAMED_EXPORTS_ONLY],
    },
  },
  {
    // Remix and Piscina find these by their default export.
    files: ['app/routes/**', 'app/{routes,root,entry.*}.{ts,tsx}', 'app/**/*-worker.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['**/*.tsx'],
    extends: [jsxA11y.flatConfigs.strict, reactHooks.configs.flat.recommended],
  },
  {
    // A JSDoc cast is a comment to these rules; TypeScript itself checks what follows from it.
    files: ['**/*.js'],
    rules: unsafeRulesOff,
  },
  {
    files: ['tests/**/*.{ts,tsx}'],
    // expect.any() and its like are of any type.
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  {
    // Outside of tsconfig.json.
    files: ['**/*.{cjs,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
  },
);
