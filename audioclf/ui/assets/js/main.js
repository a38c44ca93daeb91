// @ts-check
/* What the page's components start; see `audioclf/ui/static_files.py`. */
import { watchNames } from './names.js';
import { sortAtHeaders } from './tables.js';

export { annotationQueue, startAnnotation } from './annotate/queue.js';
export { startDropZone } from './drop_zone.js';
export { startLane, startTimeline } from './lanes.js';
export { gradioPlayer } from './playback.js';

watchNames();
sortAtHeaders();
