// @ts-check
/* The clips that are at hand: fetched before they are shown, so that they play at once. */
import { claim } from '../playback.js';
import { keyOf, StaleError } from './api.js';

/** @typedef {import('./api.js').Clip} Clip */
/** @typedef {import('./api.js').Place} Place */
/** @typedef {{ clip: Promise<Clip> | null, data: Clip | null, audio: HTMLAudioElement | null }} Media */

/** @param {number} s @param {number} [digits] */
export function formatTime(s, digits = 1) {
  if (s < 60) return s.toFixed(digits);
  return `${Math.floor(s / 60)}:${(s % 60).toFixed(digits).padStart(digits + 3, '0')}`;
}

/** A time with its unit: “4.0 s”, and from a minute on “18:56.8”. @param {number} s @param {number} [digits] */
export const formatDuration = (s, digits = 1) => formatTime(s, digits) + (s < 60 ? ' s' : '');

/** @param {Place} place */
export const titleOf = ({ file, start_s, end_s }) =>
  start_s === null || end_s === null
    ? file
    : `${file}, ${formatTime(start_s)} to ${formatDuration(end_s)}`;

/**
 * @param {{
 *   prepareClip: (place: Place) => Promise<Clip>,
 *   isLooped: () => boolean,
 *   onProgress: (place: Place, audio: HTMLAudioElement) => void,
 *   onBlocked: () => void,
 * }} options onBlocked: the browser wants a key or a click first
 */
export function createPlayer({ prepareClip, isLooped, onProgress, onBlocked }) {
  /** @type {Map<string, Media>} */
  const media = new Map();

  /**
   * @param {Place} place
   * @param {string} url
   */
  function open(place, url) {
    const audio = new Audio(url);
    audio.preload = 'auto';
    const follow = () => {
      onProgress(place, audio);
      if (!audio.paused) requestAnimationFrame(follow);
    };
    for (const event of ['play', 'pause', 'ended', 'seeking'])
      audio.addEventListener(event, follow);
    audio.addEventListener('play', () => claim(audio));
    return audio;
  }
  /**
   * @param {Place} place
   * @param {Media} entry
   */
  async function read(place, entry) {
    const clip = await prepareClip(place);
    const blob = clip.error ? null : await (await fetch(clip.audioUrl)).blob();
    if (media.get(keyOf(place)) !== entry) throw new StaleError(); // dropped meanwhile
    if (blob) entry.audio = open(place, URL.createObjectURL(blob));
    entry.data = { ...clip, audioUrl: '' };
    return entry.data;
  }
  /**
   * Fetch a clip, unless it is there or on its way.
   * @param {Place} place
   * @returns {Promise<Clip>}
   */
  function prepare(place) {
    const key = keyOf(place);
    const there = media.get(key);
    if (there?.clip) return there.clip;
    /** @type {Media} */
    const entry = { clip: null, data: null, audio: null };
    media.set(key, entry);
    const clip = read(place, entry);
    clip.catch(() => {
      if (media.get(key) === entry) media.delete(key); // the next one asks again
    });
    entry.clip = clip;
    return clip;
  }
  /** @param {string} key */
  function drop(key) {
    const audio = media.get(key)?.audio;
    media.delete(key);
    if (!audio) return;
    audio.pause();
    URL.revokeObjectURL(audio.src);
  }
  /** @param {Place | undefined} place */
  const audioOf = (place) => (place && media.get(keyOf(place))?.audio) || null;

  /**
   * @param {Place | undefined} place
   * @param {number} [from_s]
   */
  function play(place, from_s) {
    const audio = audioOf(place);
    if (!audio) return;
    audio.loop = isLooped();
    if (from_s !== undefined && audio.currentTime !== from_s) audio.currentTime = from_s; // a seek takes its time
    audio.play().catch((error) => {
      if (error.name === 'NotAllowedError') onBlocked();
    });
  }
  return {
    prepare,
    play,
    audioOf,
    /** @param {Place} place */
    dataOf: (place) => media.get(keyOf(place))?.data || null,
    /** @param {Place | undefined} place */
    toggle(place) {
      const audio = audioOf(place);
      if (!audio) return;
      if (audio.paused) play(place, audio.ended ? 0 : undefined);
      else audio.pause();
    },
    pause: () => {
      for (const { audio } of media.values()) audio?.pause();
    },
    /** Forget all clips but these. @param {Place[]} places */
    retain(places) {
      const keys = new Set(places.map(keyOf));
      for (const key of [...media.keys()]) if (!keys.has(key)) drop(key);
    },
  };
}

/** @typedef {ReturnType<typeof createPlayer>} Player */
