// The one assertion that elfy makes. Node's own module loads a comparison of everything and its report, which takes longer
// than elfy's whole reading of an image.
const { inspect } = require('node:util');

module.exports = {
  equal(found, wanted) {
    if (found !== wanted) throw new Error(`${inspect(found)} == ${inspect(wanted)}`);
  },
};
