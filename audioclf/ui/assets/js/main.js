// @ts-check
/* What the page's components start; see `audioclf/ui/static_files.py`. */
export { annotationQueue, startAnnotation } from './annotate/queue.js';
export { startLane } from './lanes.js';
export { gradioPlayer } from './playback.js';
