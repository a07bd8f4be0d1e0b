/** As much of a `NavigateEvent` as is used (https://html.spec.whatwg.org/#navigateevent). */
export interface NavigateEvent extends Event {
  readonly hashChange: boolean;
  readonly destination: { readonly url: string };
}

/** The browser's Navigation API, where it has one. TypeScript's DOM library does not know it yet. */
export const navigation = (globalThis as { navigation?: EventTarget }).navigation;
