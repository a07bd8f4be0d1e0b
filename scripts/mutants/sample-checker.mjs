import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import { isSampled } from './sample.mjs';

/** A Stryker checker that lets the sample pass. The others count as not compiled, which is outside the score. */
class SampleChecker {
  static inject = tokens(commonTokens.options);
  #oneIn;

  constructor(options) {
    this.#oneIn = options.oneIn;
  }

  async init() {}

  /** All at once: there is nothing to compile. */
  async group(mutants) {
    return [mutants.map(({ id }) => id)];
  }

  async check(mutants) {
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, this.#look(mutant)]));
  }

  #look({ fileName, location, replacement }) {
    // Stryker counts lines from 0 here, and from 1 in its report.
    const sampled = isSampled({ file: fileName, line: location.start.line + 1, replacement }, this.#oneIn);
    return sampled ? { status: 'passed' } : { status: 'compileError', reason: 'not in the sample' };
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.Checker, 'sample', SampleChecker)];
