import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameWith } from '../../audioclf/ui/assets/js/names.js';

test('what is written on a button is part of its name, once', () => {
  const name = nameWith('Adjust playback speed to 1.5x', ' 1x\n');
  assert.equal(name, '1x: Adjust playback speed to 1.5x');
  assert.equal(nameWith(name, '1x'), name);
  assert.equal(nameWith('Upload', ''), 'Upload');
});
