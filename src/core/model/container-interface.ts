/**
 * Interfaces that container engines and hypervisors create for themselves. Their addresses and bytes are not
 * those of the host: nobody outside reaches it there.
 */

/** Docker names the bridges of its networks `br-` and 12 digits; `br-lan` is the LAN of OpenWrt. */
const CONTAINER_INTERFACE =
  /^(veth|docker|br-[0-9a-f]{12}$|virbr|cni|flannel|cali|cilium|kube-|weave|nerdctl|podman|lxcbr|lxdbr|incusbr)/;

export function isContainerInterface(name: string): boolean {
  return CONTAINER_INTERFACE.test(name);
}
