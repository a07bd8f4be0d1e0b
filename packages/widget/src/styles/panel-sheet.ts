import composer from '../components/qsec2-composer/qsec2-composer.css';
import log from '../components/qsec2-log/qsec2-log.css';
import exchange from '../components/qsec2-panel/exchange.css';
import panel from '../components/qsec2-panel/qsec2-panel.css';
import waiting from '../components/qsec2-panel/waiting.css';
import setup from '../components/qsec2-setup/qsec2-setup.css';
import gauge from '../parts/gauge/gauge.css';
import controls from './controls.css';
import preferences from './preferences.css';
import tokens from './tokens.css';

/** The panel's style sheet, in the order in which its rules may override each other. */
export const PANEL_SHEET = [tokens, panel, controls, setup, waiting, exchange, gauge, log, composer, preferences];
