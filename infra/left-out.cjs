// Stands in for a package that the engine's SDK loads and our programs never use (engine-run.ts).
module.exports = new Proxy(
  {},
  {
    get(_, name) {
      // What loading it asks for.
      if (name === "__esModule") return false
      throw new Error("This package is left out of the engine child: programs have no functions to serialize.")
    },
  },
)
