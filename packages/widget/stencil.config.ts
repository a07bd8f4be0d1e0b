import type { Config } from '@stencil/core';

export const config: Config = {
  namespace: 'qsec2-chat',
  srcDir: 'src',
  // Stencil would hide the element until it is upgraded, through an inline <style> that a strict CSP refuses.
  invisiblePrehydration: false,
  sourceMap: false,
  // What every page loads, what opens from the launcher, and what is looked at later.
  bundles: [
    { components: ['qsec2-chat'] },
    { components: ['qsec2-panel', 'qsec2-setup', 'qsec2-log', 'qsec2-composer', 'qsec2-qr'] },
    { components: ['qsec2-security'] },
    { components: ['qsec2-people', 'qsec2-leave'] },
    { components: ['qsec2-file'] },
    { components: ['qsec2-voice'] },
    { components: ['qsec2-recorder'] },
  ],
  outputTargets: [
    { type: 'dist', esmLoaderPath: '../loader' },
    {
      type: 'dist-custom-elements',
      dir: 'dist/components',
      customElementsExportBehavior: 'auto-define-custom-elements',
      externalRuntime: false,
    },
  ],
};
