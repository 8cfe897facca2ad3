// Which way imports may go. ARCHITECTURE.md draws the same picture.
const only = (from, allowed) => ({
  name: `${from}-imports`,
  severity: "error",
  from: { path: `^${from}/` },
  to: {
    path: "^(infra|service|image-builder|local-cloud|cli|tools|test|bench)/",
    pathNot: [from, ...allowed].map(folder => `^${folder}/`),
  },
})

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "one-importer-of-the-engine",
      comment:
        "infra/engine.ts is the only importer of Pulumi's Automation API; types of its events may be read beside it",
      severity: "error",
      from: { path: "^(infra|service|cli|bench)/", pathNot: "^(infra/engine|bench/engine-plain)\\.ts$" },
      to: { path: "@pulumi/pulumi/automation", dependencyTypesNot: ["type-only"] },
    },
    only("infra", []),
    only("local-cloud", []),
    only("image-builder", ["infra"]),
    only("service", ["infra"]),
    only("tools", []),
    // The command line starts everything, so it may know everything but tests.
    only("cli", ["infra", "service", "image-builder", "local-cloud", "tools"]),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "types"] },
  },
}
