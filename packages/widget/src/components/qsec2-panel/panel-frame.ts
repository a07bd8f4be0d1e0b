/** Narrower than this the panel takes the whole window, and the page behind it is out of reach. */
const PHONE = '(max-width: 479.98px)';

/**
 * Opens and closes the panel's `<dialog>`: beside the page on a desktop, modal on a phone, where the browser itself keeps
 * the focus inside and the page inert.
 */
export class PanelFrame {
  readonly #dialog: () => HTMLDialogElement | undefined;
  readonly #told: (open: boolean) => void;
  readonly #phone = window.matchMedia(PHONE);
  #wanted = false;
  /** The dialog that we opened and did not close. */
  #open: HTMLDialogElement | undefined;

  /** @param told that it stands open now, or no longer */
  constructor(dialog: () => HTMLDialogElement | undefined, told: (open: boolean) => void) {
    this.#dialog = dialog;
    this.#told = told;
  }

  /** The panel is in the page, maybe again: what was on top of it is not so any more. */
  connect(): void {
    this.#phone.addEventListener('change', this.#reopen);
    window.visualViewport?.addEventListener('resize', this.#fit);
    if (this.#phone.matches) this.#reopen();
    this.show(this.#wanted);
  }

  disconnect(): void {
    this.#phone.removeEventListener('change', this.#reopen);
    window.visualViewport?.removeEventListener('resize', this.#fit);
  }

  /** Whether the dialog was closed without our doing. */
  get closedByOthers(): boolean {
    return this.#open !== undefined && this.#open === this.#dialog() && !this.#open.open;
  }

  /**
   * Brings the dialog to what is wanted, if it is not so: it may be another one since the last time, drawn after a change of mode.
   * @param still without the motion from the launcher: a link opened the panel, and the key agreement needs the processor.
   */
  show(open: boolean, still = false): void {
    this.#wanted = open;
    const dialog = this.#dialog();
    if (!dialog) this.#set(undefined);
    else if (!open && this.#open) void this.#close(dialog);
    else if (open && this.#open !== dialog && dialog.isConnected) this.#show(dialog, still);
  }

  #show(dialog: HTMLDialogElement, still: boolean): void {
    dialog.classList.remove('leaving');
    dialog.classList.toggle('still', still);
    if (!dialog.open) this.#enter(dialog);
    this.#focus(dialog);
    this.#set(dialog);
  }

  #enter(dialog: HTMLDialogElement): void {
    if (this.#phone.matches) dialog.showModal();
    else dialog.show();
    this.#fit();
  }

  async #close(dialog: HTMLDialogElement): Promise<void> {
    this.#set(undefined);
    if (!dialog.open) return;
    dialog.classList.add('leaving');
    await Promise.allSettled(dialog.getAnimations().map(({ finished }) => finished));
    // Opened again while it was leaving: then it stays.
    if (this.#wanted) return;
    dialog.classList.remove('leaving');
    dialog.close();
  }

  #set(open: HTMLDialogElement | undefined): void {
    if (open === this.#open) return;
    this.#open = open;
    this.#told(open !== undefined);
  }

  /** To the message field when one can send; else to the panel itself, which reads out what it is and opens no keyboard. */
  #focus(dialog: HTMLDialogElement): void {
    const field = dialog.querySelector<HTMLElement>('textarea[data-on]');
    (field ?? dialog).focus({ preventScroll: true });
  }

  readonly #reopen = () => {
    const dialog = this.#dialog();
    if (!dialog?.open || !dialog.isConnected) return;
    dialog.close();
    this.#enter(dialog);
  };

  /** On-screen keyboards cover fixed boxes: the panel keeps to what is visible. */
  readonly #fit = () => {
    const dialog = this.#dialog();
    const viewport = window.visualViewport;
    if (!dialog || !viewport) return;
    dialog.style.setProperty('--_visible-height', `${Math.round(viewport.height)}px`);
  };
}
