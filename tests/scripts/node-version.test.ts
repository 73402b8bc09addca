import { expect, test } from 'vitest';
import { explainUnsupportedNode } from '../../scripts/set-up/node-version.js';

test.each(['20.19.0', '20.20.2', '22.14.0', '22.23.3', '23.6.0', '24.0.0', '24.21.0', '26.1.0'])(
  'Node %s is supported',
  (version) => {
    expect(explainUnsupportedNode(version)).toBeNull();
  },
);

test.each(['14.21.3', '16.20.2', '18.20.8', '20.18.3', '21.7.3', '22.13.1', '23.5.0'])(
  'Node %s is refused in one sentence that names the version',
  (version) => {
    const sentence = explainUnsupportedNode(version);
    expect(sentence).toContain(`this is Node ${version}`);
    expect(sentence).not.toContain('\n');
  },
);
