// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createOutbox,
  EMPTY_OUTBOX,
  RETRY_MS,
  reduceOutbox,
} from '../../audioclf/ui/assets/js/annotate/outbox.js';

/** @typedef {import('../../audioclf/ui/assets/js/annotate/outbox.js').OutboxState} OutboxState */

/** @param {string} name */
const request = (name) => ({ endpoint: 'keep', payload: { name } });

/** @param {Record<string, string>} [kept] */
function memory(kept = {}) {
  const texts = new Map(Object.entries(kept));
  return {
    texts,
    names: () => [...texts.keys()],
    /** @param {string} name */
    read: (name) => texts.get(name) ?? null,
    /** @param {string} name @param {string} text */
    write: (name, text) => void texts.set(name, text),
    /** @param {string} name */
    remove: (name) => void texts.delete(name),
  };
}

/**
 * An outbox to a server that a test holds in its hand.
 * @param {{ storage?: ReturnType<typeof memory>, answer?: (name: string) => string }} [options]
 */
function start({ storage = memory(), answer = (name) => `kept ${name}` } = {}) {
  /** @type {string[]} */
  const log = [];
  /** @type {OutboxState[]} */
  const states = [];
  /** @type {(() => void)[]} */
  const waits = [];
  const outbox = createOutbox({
    tab: 'here',
    storage,
    deliver: async ({ request: { payload } }) => {
      log.push(`send ${payload.name}`);
      return answer(payload.name);
    },
    redeliver: async ({ payload }) => {
      log.push(`resend ${payload.name}`);
      return answer(payload.name);
    },
    onDelivered: (_entry, reply) => void log.push(reply),
    onChange: (state) => void states.push(state),
    wait: (ms) => {
      log.push(`wait ${ms}`);
      return new Promise((resolve) => waits.push(resolve));
    },
  });
  return { outbox, storage, log, states, waits };
}

/** Until what was started has come to rest. */
const rest = () => new Promise((resolve) => setImmediate(resolve));

test('the reducer adds, takes out, and remembers why it failed', () => {
  const [one, two] = ['one', 'two'].map((name, id) => ({ id, session: 1, request: request(name) }));
  const both = [one, two].reduce(
    (state, entry) => reduceOutbox(state, { type: 'add', entry }),
    EMPTY_OUTBOX,
  );
  const failed = reduceOutbox(both, { type: 'failed', reason: 'no server' });
  assert.deepEqual(failed, { entries: [one, two], failure: 'no server' });
  const delivered = reduceOutbox(failed, { type: 'delivered', id: one.id });
  assert.deepEqual(delivered, { entries: [two], failure: null });
  assert.deepEqual(EMPTY_OUTBOX, { entries: [], failure: null });
});

test('requests go one after the other, in their order', async () => {
  const { outbox, log, storage } = start();
  const replies = Promise.all([outbox.post(request('a'), 1), outbox.post(request('b'), 1)]);
  assert.deepEqual(log, ['send a']);
  assert.deepEqual(await replies, ['kept a', 'kept b']);
  assert.deepEqual(log, ['send a', 'kept a', 'send b', 'kept b']);
  assert.deepEqual(storage.names(), []);
});

test('what does not arrive is kept, and sent again until it does', async () => {
  let isDown = true;
  const { outbox, log, storage, states, waits } = start({
    answer: (name) => {
      if (isDown) throw new Error('the server is down');
      return `kept ${name}`;
    },
  });
  const reply = outbox.post(request('a'), 1);
  outbox.post(request('b'), 1);
  await rest();
  assert.deepEqual(log, ['send a', `wait ${RETRY_MS}`]);
  assert.equal(states.at(-1)?.failure, 'the server is down');
  assert.deepEqual(JSON.parse(storage.read('audioclf-outbox-here') || ''), [
    request('a'),
    request('b'),
  ]);
  waits[0]();
  await rest();
  assert.deepEqual(log.slice(2), ['send a', `wait ${RETRY_MS}`]);
  isDown = false;
  waits[1]();
  assert.equal(await reply, 'kept a');
  await outbox.whenEmpty();
  assert.deepEqual(states.at(-1), EMPTY_OUTBOX);
  assert.deepEqual(storage.names(), []);
});

test('one knows when all of them are there', async () => {
  const { outbox, log } = start();
  await outbox.whenEmpty();
  outbox.post(request('a'), 1);
  outbox.post(request('b'), 1);
  await outbox.whenEmpty();
  assert.deepEqual(log.slice(-1), ['kept b']);
});

test('those of another session are not counted', () => {
  const { outbox } = start();
  outbox.post(request('a'), 1);
  outbox.post(request('b'), 2);
  assert.deepEqual(outbox.requestsOf(2), [request('b')]);
});

test('what a closed window had not sent is sent, once, and forgotten', async () => {
  const storage = memory({
    'audioclf-outbox-there': JSON.stringify([request('a'), request('b')]),
    'audioclf-options': '{}',
  });
  const { outbox, log } = start({ storage });
  await outbox.resendStored();
  assert.deepEqual(log, ['resend a', 'resend b']);
  assert.deepEqual(storage.names(), ['audioclf-options']);
});

test('it stays where the server is not there', async () => {
  const storage = memory({ 'audioclf-outbox-there': JSON.stringify([request('a')]) });
  const { outbox } = start({
    storage,
    answer: () => {
      throw new Error('the server is down');
    },
  });
  await outbox.resendStored();
  assert.deepEqual(storage.names(), ['audioclf-outbox-there']);
});

test('a window that is alive keeps its own', async () => {
  const storage = memory({ 'audioclf-outbox-there': JSON.stringify([request('a')]) });
  const { outbox } = start({
    storage,
    answer: (name) => {
      storage.write('audioclf-outbox-there', JSON.stringify([request('new')]));
      return name;
    },
  });
  await outbox.resendStored();
  assert.deepEqual(storage.names(), ['audioclf-outbox-there']);
});

test('what is no request does not stop the others', async () => {
  const storage = memory({
    'audioclf-outbox-broken': '{"no":',
    'audioclf-outbox-old': '[{"name":"say_label"}]',
    'audioclf-outbox-there': JSON.stringify([request('a')]),
  });
  const { outbox, log } = start({ storage });
  await outbox.resendStored();
  assert.deepEqual(log, ['resend a']);
  assert.deepEqual(storage.names(), []);
});

test('an error in what is drawn does not keep back the labels that come after', async () => {
  /** @type {string[]} */
  const sent = [];
  /** @type {unknown[]} */
  const errors = [];
  const outbox = createOutbox({
    tab: 'here',
    storage: memory(),
    deliver: async ({ request: { payload } }) => void sent.push(payload.name),
    redeliver: async () => {},
    onDelivered: () => {
      throw new Error('a drawing that fails');
    },
    onChange: () => {},
    onError: (error) => errors.push(error),
  });
  await Promise.all([outbox.post(request('a'), 1), outbox.post(request('b'), 1)]);
  assert.deepEqual(sent, ['a', 'b']);
  assert.equal(errors.length, 2);
});
