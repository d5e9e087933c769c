/** Where systemd looks for the credentials of services (systemd.exec(5), ImportCredential=). */

export const CREDSTORE = '/etc/credstore';
