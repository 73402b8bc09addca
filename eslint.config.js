import js from '@eslint/js';
// @ts-expect-error -- the package has no types
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
      // Its packages are installed only when the bench runs.
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
      // `== null` tests for null and undefined on purpose.
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-implicit-coercion': ['error', { boolean: false }],
      'no-restricted-globals': ['error', 'event', 'name'],
      'object-shorthand': 'error',
      'prefer-template': 'error',
      // TypeScript knows every global, in checked JavaScript too.
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        // Dynamic imports are cast to `typeof import('./server.ts')`.
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      // A callback may return a value or nothing.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Methods that implement an interface of promises are async even if they await nothing.
      '@typescript-eslint/require-await': 'off',
      // Numbers and regular expressions in a template are unambiguous.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowRegExp: true },
      ],
      // `onClick={() => close()}` is clear, and so is an arrow function that forwards a call.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Used after a check that TypeScript cannot follow.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Spreading a string is how to count its characters.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // A leading underscore means "unused on purpose".
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // React ignores the promise of an event handler; ours handle their own errors.
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { attributes: false } },
      ],
      // Remix loaders throw a Response to end early.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allow: [{ from: 'lib', name: 'Response' }], allowThrowingUnknown: true },
      ],
    },
  },
  {
    files: ['app/**/*.{ts,tsx}'],
    rules: {
      // The application logs through its own log, which leaves out secrets.
      'no-console': 'error',
      'no-restricted-exports': ['error', NAMED_EXPORTS_ONLY],
    },
  },
  {
    // Remix and Piscina need a default export here.
    files: ['app/routes/**', 'app/{routes,root,entry.*}.{ts,tsx}', 'app/**/*-worker.ts'],
    rules: { 'no-restricted-exports': 'off' },
  },
  {
    files: ['**/*.tsx'],
    extends: [jsxA11y.flatConfigs.strict, reactHooks.configs.flat.recommended],
  },
  {
    // These rules do not see JSDoc casts. TypeScript itself does, and checks the code.
    files: ['**/*.js'],
    rules: unsafeRulesOff,
  },
  {
    files: ['tests/**/*.{ts,tsx}'],
    // expect.any() and similar matchers have the type any.
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  {
    // tsconfig.json does not include these.
    files: ['**/*.{cjs,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
  },
);
