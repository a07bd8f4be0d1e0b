export { connect } from '@qsec2/sdk';
