/** What an object of Kubernetes can be called, a Node too: a DNS subdomain. Source: RFC 1123; apimachinery, IsDNS1123Subdomain. */
export const OBJECT_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
