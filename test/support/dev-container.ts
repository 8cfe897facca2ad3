/** Commands, as root of a machine without a network, that make repositories with dev containers in its user's home. */

/** An image of nothing but busybox, which the container's own preparation makes. */
const PREPARED =
  "podman image exists localhost/tiny:1 || tar -C .devcontainer/root -c . | podman import - localhost/tiny:1"

const GOOD = {
  ...{ name: "tiny", image: "localhost/tiny:1", initializeCommand: PREPARED },
  postCreateCommand: "echo made > /tmp/made",
  containerEnv: { INSIDE: "yes" },
}

/** Two services: one that is worked in, and one that it asks by its names. JSON is YAML too. */
const SERVICES = {
  services: {
    app: {
      ...{ image: "localhost/tiny:1", command: "sleep infinity", volumes: ["../..:/workspaces:cached"] },
      ...{ environment: { INSIDE: "composed" }, depends_on: { store: { condition: "service_healthy" } } },
    },
    store: {
      ...{ image: "localhost/tiny:1", restart: "unless-stopped", healthcheck: { test: "true" } },
      command: ["sh", "-c", "echo start >> /kept/starts; exec httpd -f -p 8123 -h /kept"],
      ...{ ports: ["9123:8123"], volumes: ["kept:/kept"], networks: { back: { aliases: ["shelf"] } } },
    },
  },
  ...{ networks: { back: {} }, volumes: { kept: {} } },
}

/**
 * By name: one that works, one of several services, one whose container cannot start, one with two to choose from, one
 * with none.
 */
export const REPOSITORIES: Record<string, Record<string, object>> = {
  composed: {
    ".devcontainer/devcontainer.json": {
      ...{
        name: "composed",
        dockerComposeFile: "compose.yml",
        service: "app",
        workspaceFolder: "/workspaces/composed",
      },
      ...{ initializeCommand: PREPARED, postCreateCommand: "echo made > /tmp/made" },
    },
    ".devcontainer/compose.yml": SERVICES,
  },
  good: { ".devcontainer/devcontainer.json": GOOD },
  broken: { ".devcontainer.json": { image: "localhost/there-is-none:1" } },
  several: { ".devcontainer/a/devcontainer.json": GOOD, ".devcontainer/b/devcontainer.json": GOOD },
  plain: {},
}

export const makeRepositories = `su user <<'END'
set -e
for one in ${Object.keys(REPOSITORIES).join(" ")}; do
  root=~/$one/.devcontainer/root
  mkdir -p $root/bin $root/etc $root/tmp $root/root
  touch $root/tmp/.keep $root/root/.keep
  cp /bin/busybox $root/bin
  for name in $(busybox --list | grep -vx busybox); do ln -s busybox $root/bin/$name; done
  echo 'root:x:0:0:root:/root:/bin/sh' > $root/etc/passwd
  echo 'root:x:0:' > $root/etc/group
  echo 'ID=tiny' > $root/etc/os-release
  git -C ~/$one init --quiet
done
${Object.entries(REPOSITORIES)
  .flatMap(([name, files]) =>
    Object.entries(files).map(
      ([path, content]) =>
        `mkdir -p "$(dirname ~/${name}/${path})"\ncat > ~/${name}/${path} <<'FILE'\n${JSON.stringify(content)}\nFILE`,
    ),
  )
  .join("\n")}
END`
