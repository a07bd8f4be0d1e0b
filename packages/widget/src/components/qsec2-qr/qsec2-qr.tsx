import { Component, Element, Host, Prop, State, Watch } from '@stencil/core';
import { withPart } from '../../lazy-elements';
import { h } from '../../vdom';

/** Light squares around the code, which readers need to find it. */
const QUIET = 2;

interface Drawing {
  size: number;
  path: string;
}

/**
 * A QR code, drawn as one path. The generator is loaded when the first one is shown.
 *
 * @internal
 */
@Component({ tag: 'qsec2-qr' })
export class Qsec2Qr {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly text: string = '';
  @Prop() readonly label: string = '';

  @State() private drawing: Drawing | undefined;

  componentWillLoad() {
    this.textChanged();
  }

  @Watch('text')
  textChanged() {
    withPart(this.el, () => this.draw(this.text));
  }

  private async draw(text: string) {
    const { correction, generate } = await import('lean-qr');
    const code = generate(text, { minCorrectionLevel: correction.L });
    let path = '';
    for (let y = 0; y < code.size; y += 1) {
      for (let x = 0; x < code.size; x += 1) {
        if (code.get(x, y)) path += `M${x + QUIET} ${y + QUIET}h1v1h-1z`;
      }
    }
    if (text === this.text) this.drawing = { size: code.size + 2 * QUIET, path };
  }

  render() {
    return <Host class="qr">{this.content()}</Host>;
  }

  private content() {
    const { drawing, label } = this;
    return (
      drawing && (
        <svg viewBox={`0 0 ${drawing.size} ${drawing.size}`} role="img" aria-label={label} shape-rendering="crispEdges">
          <path d={drawing.path} fill="#000" />
        </svg>
      )
    );
  }
}
