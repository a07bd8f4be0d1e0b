import mediaButton from './media-button.css';

/** What files and voice messages look alike in. A sheet of its own: each adopts it before its own, which may say otherwise. */
export const MEDIA_SHEET = [mediaButton];
