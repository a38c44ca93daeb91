// @ts-check
/* The server's functions, and what goes to and fro: the only module that knows the names of the
   endpoints and of their payloads' keys. */

/** Where a clip is; a whole file has no ends. */
/** @typedef {{ file: string, start_s: number | null, end_s: number | null }} Place */
/** @typedef {{ name: string, probability: number | null, source: string, isRandom: boolean }} Suggestion */
/** @typedef {'label' | 'unsure' | 'bad audio'} Kind */
/** @typedef {{ kind: Kind, names: string[] }} Annotation */
/** @typedef {Place & { suggestion: Suggestion | null, annotation: Annotation | null }} Item */
/** @typedef {{ name: string, n: number, colour: string }} ClassCount */
/**
 * How far the embedding model is.
 * @typedef {{
 *   kind: string, isReady: boolean, error: string, model: string, n_done: number, n_total: number,
 * }} EmbeddingStatus
 */
/** @typedef {{ n_labels: number, n_right: number, n_random: number, n_right_random: number }} Accuracy */
/**
 * Where a project stands, what comes next, and what those that the page holds are now.
 * @typedef {{
 *   classes: ClassCount[], n_total: number, n_labelled: number, kinds: Partial<Record<Kind, number>>,
 *   errors: [file: string, reason: string][], n_errors: number,
 *   embedding: EmbeddingStatus, accuracy: Accuracy, next: Item[], held: Item[],
 *   n_unsegmented: number, maxClassName: number, version: number,
 * }} Status
 */
/**
 * A clip as it is played and drawn.
 * @typedef {{
 *   error: string, audioUrl: string, isBeginning: boolean,
 *   waveform: import('../lanes.js').WaveformValue,
 *   spectrogram: import('../plot.js').Axes & { pictures: import('../plot.js').Picture[] },
 * }} Clip
 */
/** @typedef {{ id: string, start_s: number, end_s: number, names: string[] }} Region */
/** @typedef {{ start_s: number, end_s: number }} Span */
/** @typedef {{ file: string, duration_s: number, regions: Region[] }} Recording */
/** @typedef {Place & { x: number, y: number, name: string, isLabelled: boolean }} Point */
/** What is kept and sent until the server has it. @typedef {{ endpoint: string, payload: Wire }} Request */
/**
 * @typedef {{
 *   error: string, status: Status | null, regions: Region[] | null,
 *   undone: (Place & {
 *     isRegion: boolean, isRenamedClass: boolean, names: string[], annotation: Annotation | null,
 *   }) | null,
 * }} Reply
 */
/** The project and how it is asked about: what the page's settings say, as the server takes it. */
/** @typedef {{ format: 2, project: string }} Settings */
/** @typedef {Record<string, any>} Wire */
/** @typedef {Record<string, (payload: Wire) => Promise<Wire | null>>} Server */
/** @typedef {{ settings: Settings | null, session: number, order: string, annotator: string, tab: string }} Context */

/** An answer to what is not asked about any more. */
export class StaleError extends Error {}

/** @param {unknown} error */
export const isStale = (error) => error instanceof StaleError;

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {Place} place */
export const placeOf = ({ file, start_s, end_s }) => ({ file, start_s, end_s });

/** @param {Place} place */
export const keyOf = ({ file, start_s, end_s }) => JSON.stringify([file, start_s, end_s]);

export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('');

/* ---- what the server sends ---- */

/** @param {Wire} wire @returns {Item} */
const readItem = ({ suggestion, annotation, ...place }) => ({
  .../** @type {Place} */ (place),
  suggestion: suggestion && {
    name: suggestion.name,
    probability: suggestion.probability,
    source: suggestion.source,
    isRandom: suggestion.is_random,
  },
  annotation: annotation && { kind: annotation.kind, names: annotation.names },
});

/** @param {Wire} wire @returns {Status} */
const readStatus = (wire) => ({
  classes: wire.classes,
  n_total: wire.n_total,
  n_labelled: wire.n_labelled,
  kinds: wire.kinds,
  errors: wire.errors,
  n_errors: wire.n_errors,
  embedding: {
    kind: wire.embedding.kind,
    isReady: wire.embedding.is_ready,
    error: wire.embedding.error,
    model: wire.embedding.model,
    n_done: wire.embedding.n_done,
    n_total: wire.embedding.n_total,
  },
  accuracy: {
    n_labels: wire.accuracy.n_labels,
    n_right: wire.accuracy.n_right,
    n_random: wire.accuracy.n_random,
    n_right_random: wire.accuracy.n_right_random,
  },
  next: wire.next.map(readItem),
  held: wire.held.map(readItem),
  n_unsegmented: wire.n_unsegmented || 0,
  maxClassName: wire.max_name || 0,
  version: wire.version,
});

/** @param {Wire} wire @returns {Region} */
const readRegion = ({ region, start_s, end_s, names }) => ({ id: region, start_s, end_s, names });

/** @param {Wire} wire @returns {Clip} */
const readClip = (wire) => ({
  error: wire.unplayable || '',
  audioUrl: wire.audio,
  isBeginning: Boolean(wire.is_beginning),
  waveform: wire.waveform,
  spectrogram: wire.spectrogram,
});

/** @param {Wire} wire @returns {Reply} */
const readReply = (wire) => ({
  error: wire.error || '',
  status: wire.next ? readStatus(wire) : null,
  regions: wire.regions ? wire.regions.map(readRegion) : null,
  undone: wire.undone && {
    ...placeOf(/** @type {Place} */ (wire.undone)),
    isRegion: Boolean(wire.undone.region),
    isRenamedClass: Boolean(wire.undone.is_renamed_class),
    names: wire.undone.names,
    annotation: wire.undone.annotation && {
      kind: wire.undone.annotation.kind,
      names: wire.undone.annotation.names,
    },
  },
});

/* ---- what the page sends, and keeps until it is there ---- */

/** @param {Suggestion | null} suggestion */
const writeSuggestion = (suggestion) =>
  suggestion && {
    name: suggestion.name,
    probability: suggestion.probability,
    source: suggestion.source,
    is_random: suggestion.isRandom,
  };

/**
 * What a person said of a clip.
 * @param {Settings} settings
 * @param {Item} item as it stood there
 * @param {Annotation} annotation
 * @param {string} requestId the same one is kept once
 * @param {boolean} isAccepted whether the suggestion was taken as it stood
 * @returns {Request}
 */
export const submitAnnotation = (settings, item, annotation, requestId, isAccepted) => ({
  endpoint: 'submit_annotation',
  payload: {
    ...settings,
    ...placeOf(item),
    request_id: requestId,
    kind: annotation.kind,
    names: annotation.names,
    suggestion: writeSuggestion(item.suggestion),
    accepted: isAccepted,
  },
});

/**
 * Take back one annotation, or else the last one of this person.
 * @param {Settings} settings
 * @param {string} [requestId]
 * @returns {Request}
 */
export const undoAnnotation = (settings, requestId) => ({
  endpoint: 'undo_annotation',
  payload: { ...settings, request_id: requestId, undo_id: newId() },
});

/**
 * Keep a region, or what became of it; without names it goes.
 * @param {Settings} settings
 * @param {string} file
 * @param {Region} region
 * @param {string} requestId
 * @param {Span} [was] where it lay, when it had no id
 * @returns {Request}
 */
export const saveRegion = (settings, file, { id, start_s, end_s, names }, requestId, was) => ({
  endpoint: 'save_region',
  payload: { ...settings, request_id: requestId, file, region: id, start_s, end_s, names, was },
});

/** @param {Request} request */
export const isRegionRequest = (request) => request.endpoint === 'save_region';

/** Where the annotations lie that are on their way. @param {Request[]} requests @returns {Place[]} */
export const pendingPlaces = (requests) =>
  requests
    .filter(({ endpoint }) => endpoint === 'submit_annotation')
    .map(({ payload }) => placeOf(/** @type {Place} */ (payload)));

/**
 * @param {Server} server
 * @param {() => Context} getContext
 */
export function createApi(server, getContext) {
  /**
   * @param {string} endpoint
   * @param {Wire} [more]
   */
  async function call(endpoint, more) {
    const { settings, session, order, annotator, tab } = getContext();
    const wire = await server[endpoint]({ ...settings, order, annotator, tab, ...more });
    if (session !== getContext().session) throw new StaleError();
    if (!wire) throw new Error('The page cannot reach its server: is it still running?');
    if (wire.error) throw new Error(wire.error);
    return wire;
  }
  /** @param {Item[] | Place[]} held */
  const writeHeld = (held) => held.map(placeOf);

  return {
    /** @param {number} n how many clips to prepare */
    openQueue: async (n) => readStatus(await call('open_queue', { n, held: [] })),
    /** How many recordings have to be looked through yet. @returns {Promise<number>} */
    detectSilences: async () => (await call('detect_silences')).n_left,
    /**
     * @param {number} n
     * @param {Place[]} held what is on its way to the person already, or was skipped
     */
    nextItems: async (n, held) =>
      readStatus(await call('next_items', { n, held: writeHeld(held) })),
    /**
     * @param {string[]} names
     * @param {Place[]} held
     */
    addClasses: async (names, held) =>
      readStatus(await call('add_classes', { names, n: 0, held: writeHeld(held) })),
    /** @param {Place} place */
    prepareClip: async (place) => readClip(await call('prepare_clip', placeOf(place))),
    /** @param {Place} place @returns {Promise<Item[]>} */
    findSimilar: async (place) =>
      (await call('find_similar', placeOf(place))).similar.map(readItem),
    /** @returns {Promise<Point[]>} */
    drawMap: async () =>
      (await call('draw_map')).points.map((/** @type {Wire} */ { is_annotated, ...point }) => ({
        ...point,
        isLabelled: is_annotated,
      })),
    /** @param {{ first: number, text: string, only: string }} filter */
    listClips: async (filter) => {
      const wire = await call('list_clips', filter);
      return { rows: /** @type {Item[]} */ (wire.rows.map(readItem)), n_matches: wire.n_found };
    },
    /** @param {string} file @returns {Promise<Recording>} */
    openRecording: async (file) => {
      const wire = await call('open_recording', { file });
      return {
        file: wire.file,
        duration_s: wire.duration_s,
        regions: wire.regions.map(readRegion),
      };
    },
    /**
     * @param {string} file
     * @param {number} start_s
     * @param {number} end_s
     * @returns {Promise<Clip & Span>}
     */
    readPage: async (file, start_s, end_s) => {
      const wire = await call('read_page', { file, start_s, end_s });
      return { ...readClip(wire), start_s: wire.start_s, end_s: wire.end_s };
    },
    /** @param {string} file @returns {Promise<import('../plot.js').Peaks>} */
    readOutline: async (file) => (await call('read_outline', { file })).waveform.peaks,
    /**
     * Send a request that was kept; throws where the server was not reached, or cannot keep it now.
     * @param {Request} request
     * @param {number} n
     * @param {Place[]} held
     * @returns {Promise<Reply>}
     */
    send: async ({ endpoint, payload }, n, held) => {
      const { order, annotator, tab } = getContext();
      const more = { n, held: writeHeld(held) };
      const wire = await server[endpoint]({ annotator, tab, order, ...payload, ...more });
      if (!wire) throw new Error('');
      if (wire.is_passing) throw new Error(wire.error);
      return readReply(wire);
    },
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */
