// Times in tests do not depend on where they run
process.env.TZ = 'UTC';

const scaffold = require('./.config/jest.config');

const [[, swc]] = Object.entries(scaffold.transform);

module.exports = {
  ...scaffold,
  // A slow machine takes seconds for a dialog full of keystrokes
  testTimeout: 60_000,
  // d3-color of @grafana/data 10 is an ES module by its name, which the scaffold's pattern leaves out
  transform: { ...scaffold.transform, '^.+\\.mjs$': swc },
};
