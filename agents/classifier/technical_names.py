"""Names of programs, formats and techniques: they have capitals like a person's, and nobody is called by them."""

from typing import Final

# None that is somebody's name as well ("Jenkins", "Ruby", "Kafka"), and no company.
_WORDS: Final = """
altgr android angular ansible arduino autocad bluetooth bootstrap chatgpt chrome chromium configmap ctrl cuda debian
docker drupal elasticsearch ethernet excel fedora figma firefox flatpak freedesktop gimp github gitlab gnome gnu
gnutls go gradle grafana graphql gstreamer gtk hdmi helvetica html5 indesign inkscape ios ipad iphone javascript jira
joomla json jupyter kde kerberos keycloak kibana kotlin kubernetes laravel latex libreoffice linux macos mariadb
markdown matlab maven mongodb mysql netbeans nfs nginx nodejs numpy oauth onedrive onnx openapi opengl openoffice
openpgp openshift openssl outlook pandas photoshop php posix postgres postgresql powerpoint powershell prometheus
pytest python pytorch rabbitmq redis safari selenium sharepoint solarized sqlite swagger symfony syslog systemd tcl
tensorflow terraform thunderbird tomcat typescript typo3 ubuntu unicode unix vim wayland webpack whatsapp wifi windows
wordpress xbox yaml zigbee
"""
TECHNICAL_NAMES: Final = frozenset(_WORDS.split())
