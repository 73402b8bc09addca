// npm run architecture: draws docs/architecture.svg from the imports in app/.
import { writeFileSync } from 'node:fs';
import { drawArchitecture } from './architecture/drawing.ts';
import { readImports } from './architecture/imports.ts';
import { inProject } from './set-up/project.js';

writeFileSync(inProject('docs/architecture.svg'), drawArchitecture(readImports()));
